"""Office-31: the same 31 categories seen in three domains."""

from pathlib import Path
from typing import Literal

from manyheads.data.errors import wrong
from manyheads.data.files import load
from manyheads.data.image_folder import list_classes
from manyheads.data.source import Source
from manyheads.data.source import split as split_source

SOURCE = "faculty.cc.gatech.edu/~judy/domainadapt (Office-31, original images)"
Domain = Literal["amazon", "dslr", "webcam"]


def office31(
    root: Path,
    *,
    split: Literal["train", "test"],
    domain: Domain = "amazon",
    size: int = 112,
    cache: Path | None = None,
) -> Source:
    """Read one domain of Office-31: 2817, 498 or 795 images.

    The data set has no split; 20 % of every class, drawn once and for all, are the test split.

    Args:
        root: the folder that holds `amazon/images`, `dslr/images` and `webcam/images`, or one that holds it as
            `office31`.
        split: which split.
        domain: which domain.
        size: side length in pixels to which images are resized.
        cache: folder for decoded images; None to keep them in memory only.

    Raises:
        DataError: if the folder is missing or a category has no images.
    """
    named = Path(root) / "office31"
    folder = (named if named.is_dir() else Path(root)) / domain / "images"
    if not folder.is_dir():
        raise wrong(folder, wanted=f"the categories of the domain {domain}", found="no such folder", source=SOURCE)
    train, test = split_source(load(list_classes(folder), size=size, cache=cache), share=0.2, seed=0)
    return train if split == "train" else test
