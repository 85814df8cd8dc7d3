"""Depth, points, normals and reshading agree with balls, planes and rooms that are known exactly."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from manyheads.tasks import depth_of, euclidean_depth_of, normals_of, points_of, reshading_of
from manyheads.tasks.angular_metrics import angles
from manyheads.tasks.geometry import inverse_of

Scene = Mapping[str, Tensor]


def away_from_edges(rooms: Scene, *, margin: int) -> Tensor:
    """Pixels in whose neighbourhood no surface ends and none meets another at an edge."""
    normal, side = rooms["normal"], 2 * margin + 1
    wide = torch.nn.functional.pad(normal, (margin,) * 4, mode="replicate")
    around = torch.nn.functional.unfold(wide, side).view(len(normal), 3, side**2, *normal.shape[2:])
    smooth = (around * normal[:, :, None]).sum(1).amin(1, keepdim=True) > np.cos(np.deg2rad(25))
    return smooth & (torch.nn.functional.max_pool2d(rooms["occlusion_edges"], side, 1, margin) == 0)


def test_points_project_back_onto_their_pixels(rooms: Scene) -> None:
    points = points_of(rooms["depth"], intrinsics=rooms["intrinsics"])
    focal, centre = rooms["intrinsics"][:, :2, None, None], rooms["intrinsics"][:, 2:, None, None]
    pixel = points[:, :2] / points[:, 2:] * focal + centre
    row, column = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    torch.testing.assert_close(pixel, torch.stack([column, row]).expand_as(pixel), rtol=1e-4, atol=1e-3)
    assert torch.equal(points[:, 2:], rooms["depth"])


def test_euclidean_depth_is_the_length_of_the_points(ball: Scene) -> None:
    found = euclidean_depth_of(ball["depth"], intrinsics=ball["intrinsics"])
    points = points_of(ball["depth"], intrinsics=ball["intrinsics"])
    torch.testing.assert_close(found, points.norm(dim=1, keepdim=True), equal_nan=True)


def test_euclidean_depth_of_drawn_rooms_is_exact(rooms: Scene) -> None:
    found = euclidean_depth_of(rooms["depth"], intrinsics=rooms["intrinsics"])
    torch.testing.assert_close(found, rooms["euclidean_depth"], rtol=1e-6, atol=0)


@given(seed=st.integers(0, 1000), focal=st.floats(5, 500))
def test_depth_and_euclidean_depth_are_inverse(seed: int, focal: float) -> None:
    depth = torch.rand(1, 1, 5, 6, generator=torch.Generator().manual_seed(seed)) * 10 + 0.1
    depth[..., 0] = torch.nan
    intrinsics = torch.tensor([[focal, 1.5 * focal, 2.0, 7.0]])
    there = euclidean_depth_of(depth, intrinsics=intrinsics)
    torch.testing.assert_close(depth_of(there, intrinsics=intrinsics), depth, rtol=3e-7, atol=0, equal_nan=True)


@pytest.mark.parametrize("window", [3, 5, 9])
def test_normals_of_a_plane_are_exact(plane: Scene, window: int) -> None:
    found = normals_of(plane["depth"], intrinsics=plane["intrinsics"], window=window)
    torch.testing.assert_close(found, plane["normal"].view(1, 3, 1, 1).expand_as(found), rtol=0, atol=2e-4)


def test_normals_of_a_ball_point_outwards(ball: Scene) -> None:
    found = normals_of(ball["depth"], intrinsics=ball["intrinsics"], window=3)
    error = angles(found, truth=ball["normal"])[:, None]
    assert error[ball["facing"] > 0.5].max() < 2  # within 60 degrees of the line of sight


def test_normals_of_drawn_rooms_are_within_two_degrees_away_from_edges(rooms: Scene) -> None:
    error = angles(normals_of(rooms["depth"], intrinsics=rooms["intrinsics"]), truth=rooms["normal"])[:, None]
    away = away_from_edges(rooms, margin=2)
    assert away.float().mean() > 0.5
    assert error[away].nanmean() < 0.2
    assert error[away].isnan().float().mean() < 0.01
    assert error.nanmean() < 4


def test_normals_stand_coarse_depth(rooms: Scene) -> None:
    centimetres = (rooms["depth"] * 100).round() / 100
    error = angles(normals_of(centimetres, intrinsics=rooms["intrinsics"], window=7), truth=rooms["normal"])[:, None]
    assert error[away_from_edges(rooms, margin=3)].nanmean() < 2


def test_normals_are_unknown_where_depth_is(ball: Scene) -> None:
    found = normals_of(ball["depth"], intrinsics=ball["intrinsics"])
    assert found.isnan()[ball["depth"].isnan().expand_as(found)].all()


def test_reshading_of_drawn_rooms_is_exact(rooms: Scene) -> None:
    found = reshading_of(rooms["normal"], intrinsics=rooms["intrinsics"])
    torch.testing.assert_close(found, rooms["reshading"], rtol=0, atol=1e-6)


def test_reshading_is_brightest_where_a_ball_faces_the_camera(ball: Scene) -> None:
    found = reshading_of(ball["normal"], intrinsics=ball["intrinsics"])
    torch.testing.assert_close(found, ball["facing"].float(), rtol=0, atol=1e-5, equal_nan=True)
    away = reshading_of(-ball["normal"], intrinsics=ball["intrinsics"])
    assert away.nan_to_num(0).eq(0).all()


def test_a_depth_of_zero_is_refused_beside_unknown_ones_too() -> None:
    with pytest.raises(ValueError, match=r"above zero metres, got 0\.0; mark unknown depth by NaN"):
        inverse_of(torch.tensor([[[[0.0, 1.0, float("nan")]]]]))


@pytest.mark.real_data
def test_normals_of_real_frames_are_known_and_face_the_camera(real_data: Path) -> None:
    files = sorted((real_data / "nyuv2" / "train" / "depth").glob("*.png"))[::200]
    frames = [torch.from_numpy(np.asarray(Image.open(file)).astype(np.float32)) / 100 for file in files]
    depth = torch.stack(frames)[:, None]
    depth = depth.where(depth > 0, torch.nan)
    scale = depth.shape[-1] / 640
    intrinsics = (torch.tensor([518.86, 519.47, 325.58, 253.74]) * scale).expand(len(depth), 4)
    normal = normals_of(depth, intrinsics=intrinsics, window=7)
    known = ~normal.isnan().any(1)
    assert len(files) > 2
    assert known.float().mean() > 0.95
    assert (normal[:, 2][known] < 0).float().mean() > 0.9
    torch.testing.assert_close(normal.norm(dim=1)[known], torch.ones(int(known.sum())))
