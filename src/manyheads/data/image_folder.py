"""Any folder of class folders: one's own images."""

from pathlib import Path
from typing import Literal

from manyheads.data.errors import wrong
from manyheads.data.files import Listing, Streamed, images_in
from manyheads.data.source import Source
from manyheads.data.source import split as split_source

TEST_FOLDERS = ("test", "val", "validation")
SOURCE = "your own images: one folder per class, named after it"


def image_folder(root: Path, *, split: Literal["train", "test"], size: int = 32) -> Source:
    """Read a folder of class folders; images are decoded whenever they are asked for.

    With sub-folders `train` and `test` (or `val`, `validation`) those are the splits; without, 20 % of every class,
    drawn once and for all, are the test split.

    Args:
        root: the folder.
        split: which split.
        size: side length in pixels to which images are resized.

    Raises:
        DataError: if a folder is missing, a class has no images, or the splits' classes differ.
    """
    base = Path(root)
    if not base.is_dir():
        raise wrong(base, wanted="a folder of class folders", found="no such folder", source=SOURCE)
    held_out = next((base / name for name in TEST_FOLDERS if (base / name).is_dir()), None)
    if not (base / "train").is_dir() or held_out is None:
        train, test = split_source(Streamed(list_classes(base), size=size), share=0.2, seed=0)
        return train if split == "train" else test
    parts = {"train": list_classes(base / "train"), "test": list_classes(held_out)}
    if parts["train"].class_names != parts["test"].class_names:
        odd = sorted(set(parts["train"].class_names) ^ set(parts["test"].class_names))
        raise wrong(held_out, wanted="the classes of `train`", found=f"others: {', '.join(odd)}", source=SOURCE)
    return Streamed(parts[split], size=size)


def list_classes(folder: Path) -> Listing:
    """List the images of a folder of class folders; classes are in alphabetical order.

    Raises:
        DataError: if there are fewer than two classes, or one has no images.
    """
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(classes) < 2:
        found = f"{len(classes)} sub-folders"
        raise wrong(folder, wanted="at least two class folders", found=found, source=SOURCE)
    paths: list[Path] = []
    labels: list[int] = []
    for label, own in enumerate(classes):
        images = images_in(own)
        if not images:
            raise wrong(own, wanted="images of this class", found="none", source=SOURCE)
        paths += images
        labels += [label] * len(images)
    return Listing(paths, labels, tuple(path.name for path in classes))
