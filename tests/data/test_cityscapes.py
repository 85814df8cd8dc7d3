"""Cityscapes in its official layout: train ids, disparities, cameras."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import DataError, Loader, cityscapes
from manyheads.data.cityscapes import STREET_CLASSES

Paint = Callable[..., np.ndarray]
FILE = (16, 32)
FRAMES = (("train", "aachen", 0), ("train", "aachen", 1), ("train", "ulm", 0), ("val", "munster", 0))
CAMERA = {
    "extrinsic": {"baseline": 0.2, "pitch": 0.03},
    "intrinsic": {"fx": 40.0, "fy": 41.0, "u0": 15.5, "v0": 7.5},
}


def write(path: Path, numbers: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbers).save(path)


def stem(city: str, number: int) -> str:
    return f"{city}_{number:06d}_000019"


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    for seed, (split, city, number) in enumerate(FRAMES):
        name = stem(city, number)
        paint(tmp_path / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png", seed=seed, size=(32, 16))
        ids = (np.arange(FILE[0] * FILE[1]) % 34).reshape(FILE).astype(np.uint8)
        write(tmp_path / "gtFine" / split / city / f"{name}_gtFine_labelIds.png", ids)
        write(tmp_path / "gtFine" / split / city / f"{name}_gtFine_color.png", ids)
        steps = (np.arange(FILE[0] * FILE[1]) * 16).reshape(FILE).astype(np.uint16)
        steps[0, 1] = 1
        write(tmp_path / "disparity" / split / city / f"{name}_disparity.png", steps)
        camera = tmp_path / "camera" / split / city / f"{name}_camera.json"
        camera.parent.mkdir(parents=True, exist_ok=True)
        camera.write_text(json.dumps(CAMERA))
    return tmp_path


def first(root: Path, **options: object) -> dict[str, torch.Tensor]:
    return cityscapes(root, split="val", **options).fetch(torch.tensor([0]))  # pyright: ignore[reportArgumentType]


def test_frames_come_by_city_and_cities_are_groups(root: Path, paint: Paint) -> None:
    source = cityscapes(root, split="train", size=FILE)
    assert len(source) == 3
    assert source.groups is not None
    assert source.groups.tolist() == [0, 0, 1]
    image = source.fetch(torch.tensor([2]))["image"][0]
    assert np.array_equal(image.permute(1, 2, 0).numpy(), paint(root / "same.png", seed=2, size=(32, 16)))
    assert len(cityscapes(root, split="val")) == 1


def test_the_usual_size_is_that_of_the_paper(root: Path) -> None:
    batch = next(iter(Loader(cityscapes(root, split="train"), batch_size=3)))
    assert batch["image"].shape == (3, 3, 336, 680)
    assert batch["segmentation"].shape == (3, 336, 680)
    assert batch["disparity"].shape == batch["depth"].shape == (3, 1, 336, 680)


def test_ids_become_the_19_classes_and_the_rest_unknown(root: Path) -> None:
    found = first(root, size=FILE)["segmentation"].flatten()[:34].tolist()
    known = {number: STREET_CLASSES[name] for number, name in enumerate(STREET_CLASSES)}
    assert found == [next((place for place, raw in known.items() if raw == number), -1) for number in range(34)]
    assert (found[7], found[23], found[33], found[0], found[29]) == (0, 10, 18, -1, -1)
    assert len(cityscapes(root, split="val").class_names) == 19


def test_disparities_are_pixels_of_the_whole_frame(root: Path) -> None:
    found = first(root, size=FILE)["disparity"][0, 0]
    assert found[0, 0].isnan()
    assert found[0, 1] == 0
    assert found[0, 2] == 31 / 256
    assert int(found.isnan().sum()) == 1


def test_depth_is_baseline_times_focal_length_by_disparity(root: Path) -> None:
    batch = first(root, size=FILE)
    known = batch["disparity"] > 0
    assert torch.allclose(batch["depth"][known], 0.2 * 40 / batch["disparity"][known])
    assert torch.equal(batch["depth"].isnan(), ~known)


def test_frames_are_resized_and_numbers_never_mixed(root: Path) -> None:
    small, whole = first(root, size=(8, 8)), first(root, size=FILE)
    assert small["image"].shape == (1, 3, 8, 8)
    for name in ("segmentation", "disparity", "depth"):
        assert torch.equal(small[name].nan_to_num(-1), whole[name][..., 1::2, 2::4].nan_to_num(-1))


def test_the_camera_is_resized_with_the_frames(root: Path) -> None:
    assert first(root, size=FILE)["intrinsics"].tolist() == [[40, 41, 15.5, 7.5]]
    assert first(root, size=(8, 8))["intrinsics"].tolist() == [[10, 20.5, 3.5, 3.5]]


def test_only_what_is_asked_for_is_read(root: Path) -> None:
    (root / "disparity" / "val" / "munster" / f"{stem('munster', 0)}_disparity.png").write_bytes(b"")
    assert first(root, annotations=["segmentation"]).keys() == {"image", "label", "index", "segmentation"}
    assert first(root, annotations=[]).keys() == {"image", "label", "index"}


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ("camera", {"segmentation", "disparity"}),
        ("disparity", {"segmentation", "intrinsics"}),
        ("gtFine", {"disparity", "depth", "intrinsics"}),
    ],
)
def test_unless_asked_all_is_read_whose_folder_is_there(root: Path, gone: str, left: set[str]) -> None:
    (root / gone).rename(root / "elsewhere")
    assert first(root).keys() == {"image", "label", "index"} | left


def test_the_folder_above_is_found(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above = tmp_path_factory.mktemp("above")
    (above / "cityscapes").symlink_to(root)
    assert len(cityscapes(above, split="train")) == 3


def test_no_images_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"train: expected images .*, found none; get it from www.cityscapes-dataset.com"
    ):
        cityscapes(tmp_path, split="train")


def test_images_of_other_names_are_an_error(root: Path, paint: Paint) -> None:
    paint(root / "leftImg8bit" / "val" / "munster" / "holiday.png")
    with pytest.raises(DataError, match=r"expected images CITY/\*_leftImg8bit.png, found holiday.png"):
        cityscapes(root, split="val")


def test_a_missing_annotation_is_an_error(root: Path) -> None:
    (root / "camera" / "train" / "ulm" / f"{stem('ulm', 0)}_camera.json").unlink()
    with pytest.raises(
        DataError, match=r"ulm_000000_000019_camera.json: expected a file for .*found no such file .1 are"
    ):
        cityscapes(root, split="train")


def test_a_number_of_no_class_is_an_error(root: Path) -> None:
    path = root / "gtFine" / "val" / "munster" / f"{stem('munster', 0)}_gtFine_labelIds.png"
    write(path, np.full(FILE, 255, dtype=np.uint8))
    with pytest.raises(DataError, match=r"expected numbers 0 to 33 .labelIds., found up to 255"):
        first(root)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"intrinsic": {"fx": "wide"}}'])
def test_a_camera_of_another_form_is_an_error(root: Path, content: str) -> None:
    (root / "camera" / "val" / "munster" / f"{stem('munster', 0)}_camera.json").write_text(content)
    with pytest.raises(DataError, match="expected JSON with intrinsic fx, fy, u0, v0 and extrinsic baseline, found"):
        first(root)


def test_a_disparity_in_colours_is_an_error(root: Path, paint: Paint) -> None:
    paint(root / "disparity" / "val" / "munster" / f"{stem('munster', 0)}_disparity.png", size=(32, 16))
    with pytest.raises(DataError, match=r"expected one number per pixel .*found mode 'RGB'"):
        first(root)
