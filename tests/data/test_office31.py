"""Office-31: one domain at a time, split once and for all, copies kept together; and the real set."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from manyheads.data import DataError, Subset, list_classes, office31
from manyheads.data.office31 import CATEGORIES

Paint = Callable[..., np.ndarray]


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    for label, name in enumerate(CATEGORIES):
        for number in range(5):
            path = tmp_path / "dslr" / "images" / name / f"frame_{number:04d}.jpg"
            paint(path, seed=5 * label + number)
    return tmp_path


def test_a_domain_is_split_once_and_for_all(root: Path) -> None:
    train, test = (office31(root, split=split, domain="dslr", size=8) for split in ("train", "test"))
    assert isinstance(train, Subset)
    assert isinstance(test, Subset)
    assert train.class_names == CATEGORIES
    assert train.labels.bincount().tolist() == [4] * 31
    assert test.labels.tolist() == list(range(31))
    assert sorted(train.rows.tolist() + test.rows.tolist()) == list(range(31 * 5))


def test_the_split_does_not_depend_on_the_size(root: Path) -> None:
    tests = [office31(root, split="test", domain="dslr", size=size).fetch(torch.arange(31)) for size in (8, 24)]
    assert torch.equal(tests[0]["index"], tests[1]["index"])
    assert tests[1]["image"].shape == (31, 3, 24, 24)


def test_copies_are_in_one_split(root: Path) -> None:
    for number in (1, 2):
        mugs = root / "dslr" / "images" / "mug"
        shutil.copy(mugs / "frame_0000.jpg", mugs / f"frame_{number:04d}.jpg")
    train, test = (office31(root, split=split, domain="dslr", size=8) for split in ("train", "test"))
    assert train.groups is not None
    assert test.groups is not None
    mug = CATEGORIES.index("mug")
    assert (train.groups == 5 * mug).sum() + (test.groups == 5 * mug).sum() == 3
    assert not set(train.groups.tolist()) & set(test.groups.tolist())


def test_the_folder_above_is_found_and_a_cache_used(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above, cache = tmp_path_factory.mktemp("above"), tmp_path_factory.mktemp("cache")
    (above / "office31").symlink_to(root)
    assert len(office31(above, split="test", domain="dslr", size=8, cache=cache)) == 31
    assert len(list(cache.iterdir())) == 1


def test_a_missing_domain_is_an_error(root: Path) -> None:
    with pytest.raises(DataError, match=r"images: expected the categories of the domain webcam, found no such folder"):
        office31(root, split="train", domain="webcam")


def test_a_missing_category_is_an_error(root: Path, paint: Paint) -> None:
    shutil.rmtree(root / "dslr" / "images" / "mug")
    paint(root / "dslr" / "images" / "cup" / "0.jpg")
    with pytest.raises(DataError, match="expected the 31 categories, found cup, mug missing or too many"):
        office31(root, split="train", domain="dslr")


def test_an_empty_category_is_an_error_that_says_where_to_get_it(root: Path) -> None:
    shutil.rmtree(root / "dslr" / "images" / "mug")
    (root / "dslr" / "images" / "mug").mkdir()
    with pytest.raises(DataError, match=r"mug: expected images of this class, found none; get it from .*gatech.edu"):
        office31(root, split="train", domain="dslr")


@pytest.mark.real_data
@pytest.mark.parametrize(("domain", "count"), [("amazon", 2817), ("dslr", 498), ("webcam", 795)])
def test_the_real_domains_have_their_known_counts(real_data: Path, domain: str, count: int) -> None:
    listing = list_classes(real_data / "office31" / domain / "images")
    assert len(listing.paths) == count
    assert listing.class_names == CATEGORIES


@pytest.mark.real_data
def test_the_real_images_are_split_by_class(real_data: Path, tmp_path: Path) -> None:
    train, test = (
        office31(real_data, split=split, domain="dslr", size=32, cache=tmp_path) for split in ("train", "test")
    )
    assert len(train) + len(test) == 498
    assert len(test) == 100
    shares = test.labels.bincount(minlength=31) / (train.labels.bincount() + test.labels.bincount(minlength=31))
    assert ((shares > 0) & (shares < 0.4)).all()
