"""What the numbers in Taskonomy's files mean."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from manyheads.data import DataError, log_depth
from manyheads.data.taskonomy_planes import DECODERS, FULL_SCALE, MASKED, unknown_depth


def decoded(path: Path, name: str, numbers: np.ndarray, *, size: tuple[int, int] | None = None) -> Tensor:
    """Write a file and decode it as an annotation."""
    Image.fromarray(numbers).save(path / "plane.png")
    old = (numbers.shape[0], numbers.shape[1])
    return DECODERS[name](path / "plane.png", old=old, new=size or old)


@pytest.mark.parametrize("name", ["depth", "euclidean_depth"])
def test_depths_are_metres_and_unknown_beyond_what_is_measured(tmp_path: Path, name: str) -> None:
    found = decoded(tmp_path, name, np.array([[0, 512, 1280, 64499, 64500, 65535]], dtype=np.uint16))
    assert found[0, 0, 1:4].tolist() == pytest.approx([1, 2.5, 64499 / 512])
    assert found[0, 0].isnan().tolist() == [True, False, False, False, True, True]
    assert torch.equal(unknown_depth(tmp_path / "plane.png", old=(1, 6), new=(1, 6)), found[0].isnan())


def test_uncertain_classes_are_unknown(tmp_path: Path) -> None:
    found = decoded(tmp_path, "segmentation", np.array([[0, 1, 17]], dtype=np.uint8))
    assert found.tolist() == [[-1, 0, 16]]
    assert found.dtype == torch.int64


def test_a_number_of_no_class_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected numbers 0 to 17, found up to 18"):
        decoded(tmp_path, "segmentation", np.array([[18]], dtype=np.uint8))


def test_normals_point_to_the_camera_with_a_negative_z(tmp_path: Path) -> None:
    right_down_near = np.array([[[255, 128, 128], [128, 255, 128], [128, 128, 255], [127, 127, 128]]], dtype=np.uint8)
    found = decoded(tmp_path, "normal", right_down_near)[:, 0].T
    assert torch.allclose(found[:3], torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]]), atol=0.01)
    assert torch.allclose(found[:3].norm(dim=1), torch.ones(3))
    assert found[3].isnan().all()


def test_the_larger_curvature_comes_first_and_the_middle_is_flat(tmp_path: Path) -> None:
    numbers = np.array([[[127, 127, 9], [0, 254, 9], [254, 127, 9]]], dtype=np.uint8)
    assert decoded(tmp_path, "curvature", numbers)[:, 0].T.tolist() == [[0, 0], [1, -1], [1, 0]]


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 3)], ids=["grey", "in colours"])
def test_reshading_is_a_share(tmp_path: Path, shape: tuple[int, ...]) -> None:
    numbers = np.full(shape, 255, dtype=np.uint8)
    numbers[0, 1] = 51
    assert decoded(tmp_path, "reshading", numbers)[0, 0].tolist() == pytest.approx([1, 0.2])


@pytest.mark.parametrize("name", list(FULL_SCALE))
def test_heat_maps_are_scaled_and_clipped(tmp_path: Path, name: str) -> None:
    top = 65535 * FULL_SCALE[name]
    numbers = np.array([[0, round(top / 2), round(top), 65535]], dtype=np.uint16)
    assert decoded(tmp_path, name, numbers)[0, 0].tolist() == pytest.approx([0, 0.5, 1, 1], abs=2e-3)


def test_the_scales_are_those_of_the_paper() -> None:
    assert FULL_SCALE == {"texture_edges": 0.08, "occlusion_edges": 0.00625, "keypoints2d": 0.005, "keypoints3d": 1}
    assert DECODERS.keys() >= MASKED


def test_heat_maps_are_averaged_and_the_rest_picked(tmp_path: Path) -> None:
    numbers = np.zeros((4, 4), dtype=np.uint16)
    numbers[1, 1] = 60000
    heat = decoded(tmp_path, "keypoints3d", numbers, size=(2, 2))
    assert 0 < float(heat[0, 0, 0]) < 0.5
    depth = decoded(tmp_path, "depth", numbers, size=(2, 2))
    assert float(depth[0, 0, 0]) == 60000 / 512
    assert int(depth.isnan().sum()) == 3


def test_a_picture_of_another_size_is_an_error(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((2, 4, 3), dtype=np.uint8)).save(tmp_path / "plane.png")
    with pytest.raises(DataError, match="expected the size of its image, 4×4, found 2×4"):
        DECODERS["normal"](tmp_path / "plane.png", old=(4, 4), new=(2, 2))


def test_depth_as_networks_learn_it_goes_from_0_to_1() -> None:
    steps = torch.tensor([0.0, 1, 512, 65535])
    expected = torch.log(1 + steps.double()) / np.log(2**16)
    assert torch.allclose(log_depth(steps / 512).double(), expected)
    assert log_depth(torch.tensor([torch.nan])).isnan().all()
