"""NYU Depth V2, frame by frame: classes, depths, camera; and the real set."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import DataError, nyuv2
from manyheads.data.nyuv2 import CLASSES_13, CLASSES_40, KINECT

Paint = Callable[..., np.ndarray]
SIZE = (12, 16)


def write(path: Path, numbers: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbers).save(path)


def classes_of(number: int) -> np.ndarray:
    return ((np.arange(SIZE[0] * SIZE[1]) + number) % 41).reshape(SIZE).astype(np.uint8)


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    for folder, numbers in (("train", (3, 1)), ("val", (2,))):
        for number in numbers:
            name = f"{number:04d}"
            paint(tmp_path / folder / "image" / f"{name}.png", seed=number, size=(16, 12))
            write(tmp_path / folder / "label40" / f"{name}.png", classes_of(number))
            depth = np.full(SIZE, 100 * number, dtype=np.uint16)
            depth[0, 0] = 0
            write(tmp_path / folder / "depth" / f"{name}.png", depth)
    return tmp_path


def test_frames_come_by_number(root: Path, paint: Paint) -> None:
    source = nyuv2(root, split="train")
    image = source.fetch(torch.tensor([0, 1]))["image"]
    assert np.array_equal(image[0].permute(1, 2, 0).numpy(), paint(root / "same.png", seed=1, size=(16, 12)))
    assert len(source) == 2
    assert len(nyuv2(root, split="test")) == 1
    assert source.in_memory


def test_no_class_is_unknown(root: Path) -> None:
    batch = nyuv2(root, split="test", classes=40).fetch(torch.tensor([0]))
    assert torch.equal(batch["segmentation"][0], torch.from_numpy(classes_of(2).astype(np.int64) - 1))
    assert batch["segmentation"].dtype == torch.int64


def test_13_classes_are_groups_of_the_40(root: Path) -> None:
    fine, coarse = (nyuv2(root, split="test", classes=count) for count in (40, 13))
    numbers = fine.fetch(torch.tensor([0]))["segmentation"].flatten().tolist()
    grouped = coarse.fetch(torch.tensor([0]))["segmentation"].flatten().tolist()
    pairs = {CLASSES_40[a]: CLASSES_13[b] for a, b in zip(numbers, grouped, strict=True) if a >= 0}
    assert (fine.class_names, coarse.class_names) == (CLASSES_40, CLASSES_13)
    assert pairs["night stand"] == "furniture"
    assert pairs["television"] == "tv"
    assert pairs["blinds"] == pairs["curtain"] == "window"
    assert set(pairs) == set(CLASSES_40)
    assert {b for a, b in zip(numbers, grouped, strict=True) if a < 0} == {-1}


def test_depth_is_in_metres_and_zero_unknown(root: Path) -> None:
    depth = nyuv2(root, split="train").fetch(torch.tensor([1]))["depth"]
    assert depth.shape == (1, 1, *SIZE)
    assert depth.dtype == torch.float32
    assert depth[0, 0].isnan().nonzero().tolist() == [[0, 0]]
    assert torch.allclose(depth[0, 0, 1:], torch.tensor(3.0))


def test_frames_are_resized_and_classes_never_mixed(root: Path) -> None:
    small, whole = (
        nyuv2(root, split="test", classes=40, size=size).fetch(torch.tensor([0])) for size in ((4, 8), None)
    )
    assert small["image"].shape == (1, 3, 4, 8)
    assert torch.equal(small["segmentation"], whole["segmentation"][:, 1::3, 1::2])
    assert torch.equal(small["depth"], whole["depth"][..., 1::3, 1::2])


def test_the_camera_is_resized_with_the_frames(root: Path) -> None:
    found = nyuv2(root, split="test", size=(240, 320)).fetch(torch.tensor([0]))["intrinsics"][0]
    fx, fy, cx, cy = KINECT
    assert found.tolist() == pytest.approx([fx / 2, fy / 2, (cx - 0.5) / 2, (cy - 0.5) / 2], rel=1e-6)


def test_the_folder_above_is_found(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above = tmp_path_factory.mktemp("above")
    (above / "nyuv2").symlink_to(root)
    assert len(nyuv2(above, split="train")) == 2


def test_no_frames_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"image: expected the images of this split, found none; get it from cs.nyu.edu"
    ):
        nyuv2(tmp_path, split="train")


@pytest.mark.parametrize("folder", ["label40", "depth"])
def test_a_frame_without_an_annotation_is_an_error(root: Path, folder: str) -> None:
    (root / "train" / folder / "0003.png").unlink()
    with pytest.raises(DataError, match=rf"{folder}: expected the frames of image, .* such as 0003"):
        nyuv2(root, split="train")


def test_a_number_of_no_class_is_an_error(root: Path) -> None:
    write(root / "val" / "label40" / "0002.png", np.full(SIZE, 41, dtype=np.uint8))
    with pytest.raises(DataError, match=r"0002.png: expected numbers 0 to 40, found up to 41"):
        nyuv2(root, split="test")


@pytest.mark.parametrize(("folder", "kind"), [("depth", np.uint8), ("label40", np.uint16)])
def test_numbers_of_other_width_are_an_error(root: Path, folder: str, kind: type[np.generic]) -> None:
    write(root / "val" / folder / "0002.png", np.zeros(SIZE, dtype=kind))
    with pytest.raises(DataError, match=r"0002.png: expected one number per pixel"):
        nyuv2(root, split="test")


@pytest.mark.real_data
def test_the_real_frames_are_the_official_ones(real_data: Path) -> None:
    source = nyuv2(real_data, split="test", size=(36, 48))
    batch = source.fetch(torch.arange(len(source)))
    assert len(source) == 654
    assert 0.5 < float(batch["depth"].nanquantile(0.001)) < float(batch["depth"].nanquantile(0.999)) < 10
    assert 2 < float(batch["depth"].nanmean()) < 3.5
    assert batch["segmentation"].unique().tolist() == list(range(-1, 13))
    assert batch["intrinsics"][0].tolist() == pytest.approx([38.914, 38.960, 23.956, 18.568], abs=1e-3)


@pytest.mark.real_data
def test_the_real_classes_and_camera_are_those_of_the_set(real_data: Path) -> None:
    meta = json.loads((real_data / "nyuv2" / "meta.json").read_text())
    names = {count: [meta[f"label{count}"][str(number)] for number in range(1, count + 1)] for count in (13, 40)}
    assert names == {13: list(CLASSES_13), 40: list(CLASSES_40)}
    assert list(meta["intrinsics_640x480"].values()) == pytest.approx(KINECT, abs=1e-4)
    frame = {"root": real_data, "split": "test", "size": (36, 48)}
    fine, coarse = (nyuv2(**frame, classes=count).fetch(torch.arange(654))["segmentation"] for count in (40, 13))
    table = torch.tensor(meta["map40to13"]) - 1
    assert torch.equal(table[fine + 1], coarse)
