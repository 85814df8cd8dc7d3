"""Tiny ImageNet: 200 classes of 64×64 pixels."""

from pathlib import Path
from typing import Literal

from manyheads.data.errors import part, wrong
from manyheads.data.files import Listing, images_in, load
from manyheads.data.source import Source

_ORIGIN = "cs231n.stanford.edu (tiny-imagenet-200.zip)"


def tiny_imagenet(root: Path, *, split: Literal["train", "test"], size: int = 64, cache: Path | None = None) -> Source:
    """Read Tiny ImageNet; its labelled validation images are the test split, since its test images have no labels.

    Classes are named by their WordNet ids, in the order of the ids; `spoken_names` gives the words. Grey images get
    three equal channels.

    Args:
        root: the folder that holds `wnids.txt`, `train` and `val`, or one that holds it as `tiny-imagenet-200`.
        split: which split.
        size: side length in pixels to which images are resized.
        cache: folder for decoded images; None to keep them in memory only.

    Raises:
        DataError: if a folder or file is missing, or not as it should be.
        ValueError: if there is no such split.
    """
    base = _base(Path(root))
    listing = part({"train": _training, "test": _validation}, name=split)(base, _ids(base))
    return load(listing, size=size, cache=cache)


def spoken_names(root: Path) -> dict[str, str]:
    """Read what WordNet calls each class, by its id: all synonyms, separated by commas.

    Args:
        root: the folder that holds `wnids.txt` and `words.txt`, or one that holds it as `tiny-imagenet-200`.

    Raises:
        DataError: if one of the two files is missing, or has no words for an id.
    """
    base = _base(Path(root))
    words = base / "words.txt"
    lines = _lines(words, wanted="the words of WordNet's ids")
    spoken = dict(line.split("\t", 1) for line in lines if "\t" in line)
    ids = _ids(base)
    silent = [wnid for wnid in ids if wnid not in spoken]
    if silent:
        raise wrong(words, wanted="words for every id of wnids.txt", found=f"none for {silent[0]}", origin=_ORIGIN)
    return {wnid: spoken[wnid] for wnid in ids}


def _base(root: Path) -> Path:
    named = root / "tiny-imagenet-200"
    return named if named.is_dir() else root


def _lines(path: Path, *, wanted: str) -> list[str]:
    if not path.exists():
        raise wrong(path, wanted=wanted, found="no such file", origin=_ORIGIN)
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise wrong(path, wanted=wanted, found=f"no text ({error})", origin=_ORIGIN) from error
    if not lines:
        raise wrong(path, wanted=wanted, found="an empty file", origin=_ORIGIN)
    return lines


def _ids(base: Path) -> tuple[str, ...]:
    """List the classes in the order of their ids, as image folders are usually read."""
    path = base / "wnids.txt"
    ids = sorted(_lines(path, wanted="the list of WordNet ids"))
    if len(set(ids)) != len(ids):
        raise wrong(path, wanted="every WordNet id once", found=f"{len(ids) - len(set(ids))} repeated", origin=_ORIGIN)
    return tuple(ids)


def _training(base: Path, ids: tuple[str, ...]) -> Listing:
    paths: list[Path] = []
    labels: list[int] = []
    for label, wnid in enumerate(ids):
        folder = base / "train" / wnid / "images"
        found = images_in(folder)
        if not found:
            raise wrong(folder, wanted="the training images of this class", found="none", origin=_ORIGIN)
        paths += found
        labels += [label] * len(found)
    strange = {path.name for path in (base / "train").iterdir() if path.is_dir()} - set(ids)
    if strange:
        found = f"also {', '.join(sorted(strange))}"
        raise wrong(base / "train", wanted="the folders of wnids.txt", found=found, origin=_ORIGIN)
    return Listing(paths, labels, ids, _ORIGIN)


def _validation(base: Path, ids: tuple[str, ...]) -> Listing:
    table = base / "val" / "val_annotations.txt"
    rows = [line.split("\t") for line in _lines(table, wanted="the classes of the validation images")]
    number = {wnid: label for label, wnid in enumerate(ids)}
    strange = next((row for row in rows if len(row) < 2 or row[1] not in number), None)
    if strange is not None:
        wanted = "lines of a file name, a tab and a WordNet id of wnids.txt"
        raise wrong(table, wanted=wanted, found=f"the line {' '.join(strange)!r}", origin=_ORIGIN)
    folder = base / "val" / "images"
    paths = [folder / row[0] for row in rows]
    present = images_in(folder)
    if set(present) != set(paths) or len(present) != len(paths):
        found = f"{len(present)} images, {len(set(present) - set(paths))} of them not in the table"
        raise wrong(folder, wanted=f"the {len(paths)} images of {table.name}", found=found, origin=_ORIGIN)
    return Listing(paths, [number[row[1]] for row in rows], ids, _ORIGIN)
