"""Any folder of class folders is read, with or without splits, and nothing in it is passed over in silence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from manyheads.data import DataError, Streamed, Subset, image_folder, list_classes, load

Paint = Callable[..., np.ndarray]


def fill(root: Path, *, paint: Paint, count: int = 5) -> None:
    for label, name in enumerate(("cat", "dog", "ant")):
        for number in range(count):
            paint(root / name / f"{number}.png", seed=100 * label + number)


def test_a_plain_folder_is_split_once_and_for_all(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path, paint=paint)
    train, test = (image_folder(tmp_path, split=split, size=8) for split in ("train", "test"))
    assert isinstance(train, Subset)
    assert isinstance(test, Subset)
    assert train.class_names == ("ant", "cat", "dog")
    assert train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert test.labels.tolist() == [0, 1, 2]
    assert sorted(train.rows.tolist() + test.rows.tolist()) == list(range(15))
    assert torch.equal(image_folder(tmp_path, split="test", size=16).fetch(torch.arange(3))["index"], test.rows)


@pytest.mark.parametrize("held_out", ["test", "val", "validation"])
def test_splits_are_taken_from_the_folders(tmp_path: Path, paint: Paint, held_out: str) -> None:
    fill(tmp_path / "train", paint=paint)
    fill(tmp_path / held_out, paint=paint, count=2)
    train, test = (image_folder(tmp_path, split=split, size=8) for split in ("train", "test"))
    assert isinstance(train, Streamed)
    assert train.labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    image = test.fetch(torch.tensor([5]))["image"][0]
    assert np.array_equal(image.permute(1, 2, 0).numpy(), paint(tmp_path / "same.png", seed=101))


def test_test_goes_before_val(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path / "train", paint=paint)
    fill(tmp_path / "val", paint=paint, count=1)
    fill(tmp_path / "test", paint=paint, count=2)
    assert len(image_folder(tmp_path, split="test")) == 6


def test_a_listing_can_be_decoded_once(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path, paint=paint)
    assert load(list_classes(tmp_path), size=8).images.shape == (15, 3, 8, 8)


def test_texts_and_hidden_files_may_lie_beside_the_images(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path, paint=paint)
    (tmp_path / ".cache").mkdir()
    (tmp_path / "LICENSE").touch()
    (tmp_path / "cat" / "notes.txt").touch()
    (tmp_path / "cat" / ".DS_Store").touch()
    assert len(list_classes(tmp_path).paths) == 15


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: expected a folder of class folders, found no such folder"):
        image_folder(tmp_path / "nowhere", split="train")


def test_one_class_is_an_error(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "cat" / "0.png")
    with pytest.raises(DataError, match="at least two class folders, found 1 folders; get it from your own images"):
        image_folder(tmp_path, split="train")


def test_a_class_without_images_is_an_error(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path, paint=paint)
    (tmp_path / "bee").mkdir()
    with pytest.raises(DataError, match="bee: expected images of this class, found none"):
        image_folder(tmp_path, split="train")


def test_an_image_that_cannot_be_read_is_an_error(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path, paint=paint)
    (tmp_path / "cat" / "photo.heic").touch()
    with pytest.raises(DataError, match=r"photo.heic: expected images \(.bmp, .*another ending; convert or remove it"):
        image_folder(tmp_path, split="train")


@pytest.mark.parametrize("only", ["train", "val"])
def test_one_split_without_the_other_is_an_error(tmp_path: Path, paint: Paint, only: str) -> None:
    fill(tmp_path / only, paint=paint)
    fill(tmp_path / "other", paint=paint)
    with pytest.raises(DataError, match=r"expected both `train` and one of test, val, .*found one without the other"):
        image_folder(tmp_path, split="train")


def test_splits_of_other_classes_are_an_error(tmp_path: Path, paint: Paint) -> None:
    fill(tmp_path / "train", paint=paint)
    fill(tmp_path / "test", paint=paint)
    paint(tmp_path / "test" / "bee" / "0.png")
    with pytest.raises(DataError, match="expected the classes of `train`, found bee in only one of the two"):
        image_folder(tmp_path, split="train")
