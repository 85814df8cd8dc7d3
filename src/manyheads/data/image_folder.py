"""Any folder of class folders: one's own images."""

from pathlib import Path
from typing import Literal

from manyheads.data.errors import part, wrong
from manyheads.data.files import SUFFIXES, Listing, Streamed, images_in
from manyheads.data.source import Source
from manyheads.data.source import split as split_source

TEST_FOLDERS = ("test", "val", "validation")
"""What the folder of the test images may be called; the first that is there counts."""

_ORIGIN = "your own images: one folder per class, named after it"
_NO_IMAGES = frozenset({"", ".txt", ".md", ".csv", ".json", ".xml", ".yaml", ".yml", ".db", ".ini", ".html"})
"""Endings of files that may lie beside images."""


def image_folder(root: Path, *, split: Literal["train", "test"], size: int = 32) -> Source:
    """Read a folder of class folders; images are decoded whenever they are asked for.

    With sub-folders `train` and `test` (or `val`, `validation`) those are the splits; without, 20 % of the images,
    drawn once and for all and class by class, are the test split. `load(list_classes(...), ...)` decodes them once.

    Args:
        root: the folder.
        split: which split.
        size: side length in pixels to which images are resized.

    Raises:
        DataError: if a folder is missing, a class has no images, or the splits' classes differ.
        ValueError: if there is no such split.
    """
    base = Path(root)
    if not base.is_dir():
        raise wrong(base, wanted="a folder of class folders", found="no such folder", origin=_ORIGIN)
    held_out = next((base / name for name in TEST_FOLDERS if (base / name).is_dir()), None)
    if not (base / "train").is_dir() or held_out is None:
        if (base / "train").is_dir() or held_out is not None:
            wanted = f"both `train` and one of {', '.join(TEST_FOLDERS)}, or neither"
            raise wrong(base, wanted=wanted, found="one without the other", origin=_ORIGIN)
        train, test = split_source(Streamed(list_classes(base), size=size), share=0.2, seed=0)
        return part({"train": train, "test": test}, name=split)
    listings = {"train": list_classes(base / "train"), "test": list_classes(held_out)}
    odd = set(listings["train"].class_names) ^ set(listings["test"].class_names)
    if odd:
        found = f"{', '.join(sorted(odd))} in only one of the two"
        raise wrong(held_out, wanted="the classes of `train`", found=found, origin=_ORIGIN)
    return Streamed(part(listings, name=split), size=size)


def list_classes(folder: Path, *, origin: str = _ORIGIN) -> Listing:
    """List the images of a folder of class folders; classes are in alphabetical order.

    Args:
        folder: the folder.
        origin: where to get the images, for the errors about them.

    Raises:
        DataError: if there are fewer than two classes, one has no images, or a file's ending is of no known image.
    """
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    if len(classes) < 2:
        raise wrong(folder, wanted="at least two class folders", found=f"{len(classes)} folders", origin=origin)
    paths: list[Path] = []
    labels: list[int] = []
    for label, own in enumerate(classes):
        images = images_in(own)
        if not images:
            raise wrong(own, wanted="images of this class", found="none", origin=origin)
        _refuse_unread(own)
        paths += images
        labels += [label] * len(images)
    return Listing(paths, labels, tuple(path.name for path in classes), origin)


def _refuse_unread(folder: Path) -> None:
    """Refuse a folder with files that would be passed over although they may be images."""
    unread = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name[0] != "." and path.suffix.lower() not in SUFFIXES | _NO_IMAGES
    ]
    if unread:
        wanted = f"images ({', '.join(sorted(SUFFIXES))})"
        raise wrong(unread[0], wanted=wanted, found="a file of another ending; convert or remove it", origin=_ORIGIN)
