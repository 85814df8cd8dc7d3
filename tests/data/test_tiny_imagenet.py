"""Tiny ImageNet in its own layout: ids, words, annotations; and the real set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import DataError, spoken_names, tiny_imagenet
from manyheads.data.files import images_in

Paint = Callable[..., np.ndarray]
IDS = ("n02", "n01", "n03")


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    (tmp_path / "wnids.txt").write_text("\n".join(IDS))
    (tmp_path / "words.txt").write_text("n00\tentity\nn01\tgoldfish, Carassius auratus\nn02\tcat\nn03\tdog\n")
    for number, wnid in enumerate(IDS):
        folder = tmp_path / "train" / wnid
        for frame in range(2):
            paint(folder / "images" / f"{wnid}_{frame}.JPEG", seed=10 * number + frame)
        (folder / f"{wnid}_boxes.txt").touch()
    for number in range(2):
        paint(tmp_path / "val" / "images" / f"val_{number}.JPEG", seed=100 + number)
    write_table(tmp_path, ["val_1.JPEG\tn03\t0\t1\t2\t3", "val_0.JPEG\tn01\t0\t1\t2\t3"])
    return tmp_path


def write_table(root: Path, lines: list[str]) -> None:
    (root / "val" / "val_annotations.txt").write_text("".join(f"{line}\n" for line in lines))


def test_training_images_are_labelled_in_the_order_of_the_ids(root: Path) -> None:
    source = tiny_imagenet(root, split="train")
    assert source.class_names == ("n01", "n02", "n03")
    assert source.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert source.image_shape == (3, 64, 64)


def test_training_images_are_those_of_their_class(root: Path) -> None:
    image = tiny_imagenet(root, split="train", size=8).fetch(torch.tensor([2]))["image"][0]
    pixels = np.asarray(Image.open(root / "train" / "n02" / "images" / "n02_0.JPEG"))
    assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels)


def test_test_images_are_the_validation_images_with_their_annotations(root: Path) -> None:
    source = tiny_imagenet(root, split="test", size=8)
    image = source.fetch(torch.tensor([0]))["image"][0]
    assert source.labels.tolist() == [2, 0]
    pixels = np.asarray(Image.open(root / "val" / "images" / "val_1.JPEG"))
    assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels)


def test_the_folder_above_is_found_and_a_cache_used(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above, cache = tmp_path_factory.mktemp("above"), tmp_path_factory.mktemp("cache")
    (above / "tiny-imagenet-200").symlink_to(root)
    assert len(tiny_imagenet(above, split="test", size=8, cache=cache)) == 2
    assert len(list(cache.iterdir())) == 1


def test_grey_images_become_colour_images(root: Path) -> None:
    Image.new("L", (64, 64), 9).save(root / "val" / "images" / "val_0.JPEG")
    image = tiny_imagenet(root, split="test").fetch(torch.tensor([1]))["image"]
    assert image.shape == (1, 3, 64, 64)
    assert (image == 9).all()


def test_ids_have_words(root: Path) -> None:
    assert spoken_names(root) == {"n01": "goldfish, Carassius auratus", "n02": "cat", "n03": "dog"}


def test_an_id_without_words_is_an_error(root: Path) -> None:
    (root / "words.txt").write_text("n01\tgoldfish\nn03\tdog\n")
    with pytest.raises(DataError, match=r"words.txt: expected words for every id of wnids.txt, found none for n02"):
        spoken_names(root)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("wnids.txt", "the list of WordNet ids"),
        ("words.txt", "the words of WordNet's ids"),
        ("val/val_annotations.txt", "the classes of the validation images"),
    ],
)
def test_a_missing_or_empty_list_is_an_error(root: Path, name: str, wanted: str) -> None:
    def read_all() -> None:
        spoken_names(root)
        tiny_imagenet(root, split="test")

    (root / name).write_text("\n")
    with pytest.raises(DataError, match=f"expected {wanted}, found an empty file; get it from cs231n.stanford.edu"):
        read_all()
    (root / name).unlink()
    with pytest.raises(DataError, match=f"expected {wanted}, found no such file; get it from cs231n.stanford.edu"):
        read_all()


def test_a_list_that_is_no_text_is_an_error(root: Path) -> None:
    (root / "wnids.txt").write_bytes(b"\x80\x02")
    with pytest.raises(DataError, match=r"wnids.txt: expected the list of WordNet ids, found no text"):
        tiny_imagenet(root, split="test")


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"wnids.txt: expected .*, found no such file"):
        tiny_imagenet(tmp_path / "nowhere", split="train")


def test_an_id_that_stands_twice_is_an_error(root: Path) -> None:
    (root / "wnids.txt").write_text("n01 \nn02\nn03\nn01\n")
    with pytest.raises(DataError, match="every WordNet id once, found 1 repeated"):
        tiny_imagenet(root, split="train")


def test_a_class_without_images_is_an_error(root: Path) -> None:
    (root / "wnids.txt").write_text("\n".join([*IDS, "n04"]))
    with pytest.raises(DataError, match=r"images: expected the training images of this class, found none"):
        tiny_imagenet(root, split="train")


def test_a_folder_of_no_class_is_an_error(root: Path, paint: Paint) -> None:
    paint(root / "train" / "n09" / "images" / "n09_0.JPEG")
    with pytest.raises(DataError, match=r"expected the folders of wnids.txt, found also n09"):
        tiny_imagenet(root, split="train")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["val_0.JPEG\tn01", "val_1.JPEG\tn09"], "found the line 'val_1.JPEG n09'"),
        (["val_0.JPEG n01"], "lines of a file name, a tab and a WordNet id of wnids.txt, found the line"),
        (["val_0.JPEG\tn01"], "the 1 images of val_annotations.txt, found 2 images, 1 of them not in the table"),
        (["val_0.JPEG\tn01", "val_1.JPEG\tn01", "val_2.JPEG\tn01"], "the 3 images of .*found 2 images, 0 of them"),
    ],
)
def test_annotations_of_another_form_are_an_error(root: Path, lines: list[str], message: str) -> None:
    write_table(root, lines)
    with pytest.raises(DataError, match=message):
        tiny_imagenet(root, split="test")


@pytest.mark.real_data
def test_the_real_validation_images_are_ten_per_class(real_data: Path, tmp_path: Path) -> None:
    source = tiny_imagenet(real_data, split="test", cache=tmp_path)
    assert source.labels.bincount().tolist() == [10] * 200
    assert spoken_names(real_data)[source.class_names[0]] == "goldfish, Carassius auratus"


@pytest.mark.real_data
def test_the_real_training_images_are_fifty_per_class(real_data: Path) -> None:
    folders = sorted((real_data / "tiny-imagenet-200" / "train").iterdir())
    counts = [len(images_in(folder / "images")) for folder in folders]
    assert counts == [50] * 200
    assert tuple(folder.name for folder in folders) == tuple(spoken_names(real_data))
