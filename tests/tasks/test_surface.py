"""Curvatures, occlusion edges and key points of surfaces that are known exactly."""

from collections.abc import Mapping

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from manyheads.tasks import keypoints3d_of, normals_of, occlusion_edges_of, principal_curvature_of
from manyheads.tasks.geometry import rays

Scene = Mapping[str, Tensor]


def curvature_of(scene: Scene, *, normal: Tensor, window: int = 5) -> Tensor:
    return principal_curvature_of(scene["depth"], normal=normal, intrinsics=scene["intrinsics"], window=window)


@pytest.mark.parametrize(("window", "limit"), [(3, 0.02), (5, 0.05)])
def test_a_balls_curvatures_are_one_over_its_radius(ball: Scene, window: int, limit: float) -> None:
    normal = normals_of(ball["depth"], intrinsics=ball["intrinsics"], window=window)
    seen = (ball["facing"] > 0.7).expand(-1, 2, -1, -1)  # within 45 degrees of the line of sight
    error = (curvature_of(ball, normal=normal, window=window)[seen] * 0.5 - 1).abs()
    assert len(error) > 1000
    assert error.max() < limit


def test_a_balls_curvatures_are_exact_given_exact_normals(ball: Scene) -> None:
    found = curvature_of(ball, normal=ball["normal"])
    error = (found * 0.5 - 1)[~found.isnan()].abs()
    assert error.max() < 0.01
    assert found.isnan().float().mean() < ball["depth"].isnan().float().mean() + 0.03


def test_a_hollow_bends_the_other_way(ball: Scene) -> None:
    middle = torch.tensor([0.2, -0.1, 2.0]).view(1, 3, 1, 1)
    sight = rays(ball["intrinsics"], size=(96, 128))
    ahead, length = (sight * middle).sum(1, keepdim=True), sight.square().sum(1, keepdim=True)
    far = (ahead + (ahead.square() - length * (middle.square().sum() - 9)).sqrt()) / length
    hollow = {"depth": far, "intrinsics": ball["intrinsics"]}
    found = curvature_of(hollow, normal=normals_of(far, intrinsics=ball["intrinsics"]))[..., 5:-5, 5:-5]
    torch.testing.assert_close(found, torch.full_like(found, -1 / 3), rtol=0.05, atol=0)


def test_a_cylinder_bends_one_way_only(camera: Tensor) -> None:
    sight, radius, away = rays(camera, size=(96, 128)).double(), 0.8, 2.0
    length = sight[:, 0].square() + 1
    inside = away**2 - length * (away**2 - radius**2)
    depth = ((away - inside.clamp(min=0).sqrt()) / length).where(inside > 0.1, torch.nan)[:, None].float()
    cylinder = {"depth": depth, "intrinsics": camera}
    larger, smaller = curvature_of(cylinder, normal=normals_of(depth, intrinsics=camera)).unbind(1)
    assert larger.nanmedian() == pytest.approx(1 / radius, rel=0.02)
    assert smaller[~smaller.isnan()].abs().max() < 0.02


def test_a_plane_does_not_bend(plane: Scene) -> None:
    found = curvature_of(plane, normal=normals_of(plane["depth"], intrinsics=plane["intrinsics"]))
    assert found.abs().max() < 0.02


def test_curvatures_of_drawn_balls_are_exact(rooms: Scene) -> None:
    found = curvature_of(rooms, normal=rooms["normal"], window=3)
    on_ball = torch.nn.functional.max_pool2d((rooms["curvature"][:, :1] == 0).float(), 5, 1, 2) == 0
    error = (found / rooms["curvature"] - 1)[on_ball.expand_as(found) & ~found.isnan()]
    assert len(error) > 1000
    assert error.abs().max() < 0.01


def test_curvatures_are_clipped_and_ordered(rooms: Scene) -> None:
    normal = normals_of(rooms["depth"], intrinsics=rooms["intrinsics"])
    found = principal_curvature_of(rooms["depth"], normal=normal, intrinsics=rooms["intrinsics"], limit=3.0)
    known = ~found.isnan().any(1)
    assert found.nan_to_num(0).abs().max() == 3
    assert (found[:, 0] >= found[:, 1])[known].all()
    assert known.float().mean() > 0.99


def test_a_plane_has_no_occlusion_edges_however_steep(plane: Scene) -> None:
    assert occlusion_edges_of(plane["depth"]).nan_to_num(0).max() == 0


def test_a_step_is_an_edge_on_both_sides_as_strong_as_it_is_high() -> None:
    depth = torch.full((1, 1, 5, 8), 2.0)
    depth[..., 4:] = 2 * 1.07
    found = occlusion_edges_of(depth)[0, 0, 2]
    near, far = (1 - 1 / 1.07 - 0.03) / 0.07, (0.07 - 0.03) / 0.07
    assert found.tolist() == pytest.approx([0, 0, 0, near, far, 0, 0, 0], abs=1e-4)
    assert occlusion_edges_of(depth, span=(0.0, 0.01))[0, 0, 2].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def test_occlusion_edges_are_unknown_where_nothing_can_be_compared() -> None:
    depth = torch.ones(1, 1, 3, 5)
    depth[..., 2] = torch.nan
    found = occlusion_edges_of(depth).isnan()[0, 0]
    assert found[0].tolist() == found[2].tolist() == [True] * 5  # each has a neighbour beyond the picture or unknown
    assert found[1].tolist() == [False, False, True, False, False]


def test_occlusion_edges_find_those_of_drawn_rooms(rooms: Scene) -> None:
    found = occlusion_edges_of(rooms["depth"])
    known = ~found.isnan()
    assert roc_auc_score(rooms["occlusion_edges"][known] > 0, found[known]) > 0.97
    assert found[known & (rooms["occlusion_edges"] > 0)].mean() > 0.8
    assert found[known & (rooms["occlusion_edges"] == 0)].mean() < 0.05


def test_a_plane_has_no_3d_keypoints(plane: Scene) -> None:
    normal = plane["normal"].view(1, 3, 1, 1).expand(2, 3, 96, 128)
    assert keypoints3d_of(plane["depth"], normal=normal).max() < 0.02


def test_the_corner_of_a_box_is_a_keypoint_and_its_edge_is_none() -> None:
    depth = torch.full((1, 1, 40, 40), 3.0)
    depth[..., 20:, 20:] = 1.5
    normal = torch.tensor([0.0, 0.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
    found = keypoints3d_of(depth, normal=normal)[0, 0]
    assert found.max() == found[18:22, 18:22].max() > 0.3
    assert found[35, 20] < 1e-3
    assert found[20, 35] < 1e-3


def test_3d_keypoints_find_the_corners_of_drawn_rooms(rooms: Scene) -> None:
    found = keypoints3d_of(rooms["depth"], normal=normals_of(rooms["depth"], intrinsics=rooms["intrinsics"]))
    known = ~found.isnan()
    assert roc_auc_score(rooms["keypoints3d"][known] > 0.5, found[known]) > 0.9


def test_3d_keypoints_are_unknown_where_depth_is(ball: Scene) -> None:
    found = keypoints3d_of(ball["depth"], normal=ball["normal"])
    assert found.isnan()[ball["depth"].isnan()].all()
    assert not found.isnan()[ball["facing"] > 0.5].any()


@pytest.mark.parametrize("flip", [[], [2], [3], [2, 3]])
def test_a_corner_is_seen_along_the_diagonal_too(flip: list[int]) -> None:
    depth = torch.full((1, 1, 7, 7), 2.0)
    depth[..., 4:, 4:] = 4.0
    assert occlusion_edges_of(depth.flip(flip)).flip(flip)[0, 0, 3, 3] == 1
