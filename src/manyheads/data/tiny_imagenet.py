"""Tiny ImageNet: 200 classes of 64×64 pixels."""

from pathlib import Path
from typing import Literal

from manyheads.data.errors import wrong
from manyheads.data.files import Listing, images_in, load
from manyheads.data.source import Source

SOURCE = "cs231n.stanford.edu (tiny-imagenet-200.zip)"


def tiny_imagenet(
    root: Path, *, split: Literal["train", "test"], size: int = 64, cache: Path | None = None
) -> Source:
    """Read Tiny ImageNet; its labelled validation images are the test split, since its test images have no labels.

    Classes are named by their WordNet ids; `spoken_names` gives the words.

    Args:
        root: the folder that holds `wnids.txt`, `train` and `val`, or one that holds it as `tiny-imagenet-200`.
        split: which split.
        size: side length in pixels to which images are resized.
        cache: folder for decoded images; None to keep them in memory only.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
    """
    base = _base(Path(root))
    ids = _ids(base)
    listing = _training(base, ids) if split == "train" else _validation(base, ids)
    return load(listing, size=size, cache=cache)


def spoken_names(root: Path) -> dict[str, str]:
    """Read what WordNet calls each class, by its id.

    Raises:
        DataError: if `words.txt` or `wnids.txt` is missing.
    """
    base = _base(Path(root))
    words = base / "words.txt"
    if not words.exists():
        raise wrong(words, wanted="the words of WordNet's ids", found="no such file", source=SOURCE)
    lines = (line.split("\t", 1) for line in words.read_text().splitlines() if "\t" in line)
    spoken = dict(lines)
    return {wnid: spoken.get(wnid, wnid) for wnid in _ids(base)}


def _base(root: Path) -> Path:
    named = root / "tiny-imagenet-200"
    return named if named.is_dir() else root


def _ids(base: Path) -> tuple[str, ...]:
    """Classes in the order of their ids, as image folders are usually read."""
    path = base / "wnids.txt"
    if not path.exists():
        raise wrong(path, wanted="the list of WordNet ids", found="no such file", source=SOURCE)
    ids = tuple(sorted(path.read_text().split()))
    if not ids:
        raise wrong(path, wanted="200 WordNet ids", found="an empty file", source=SOURCE)
    return ids


def _training(base: Path, ids: tuple[str, ...]) -> Listing:
    paths: list[Path] = []
    labels: list[int] = []
    for label, wnid in enumerate(ids):
        folder = base / "train" / wnid / "images"
        found = images_in(folder) if folder.is_dir() else []
        if not found:
            raise wrong(folder, wanted="the training images of this class", found="none", source=SOURCE)
        paths += found
        labels += [label] * len(found)
    return Listing(paths, labels, ids)


def _validation(base: Path, ids: tuple[str, ...]) -> Listing:
    table = base / "val" / "val_annotations.txt"
    if not table.exists():
        raise wrong(table, wanted="the classes of the validation images", found="no such file", source=SOURCE)
    rows = [line.split("\t") for line in table.read_text().splitlines() if line.strip()]
    number = {wnid: label for label, wnid in enumerate(ids)}
    strange = [row for row in rows if len(row) < 2 or row[1] not in number]
    if strange or not rows:
        found = f"the line {strange[0]}" if strange else "no lines"
        raise wrong(table, wanted="lines of a file name and a known WordNet id", found=found, source=SOURCE)
    folder = base / "val" / "images"
    return Listing([folder / row[0] for row in rows], [number[row[1]] for row in rows], ids)
