"""Office-31: the same 31 categories seen in three domains."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from manyheads.data.errors import part, wrong
from manyheads.data.files import load
from manyheads.data.image_folder import list_classes
from manyheads.data.source import Source
from manyheads.data.source import split as split_source

CATEGORIES = (
    "back_pack", "bike", "bike_helmet", "bookcase", "bottle", "calculator", "desk_chair", "desk_lamp",
    "desktop_computer", "file_cabinet", "headphones", "keyboard", "laptop_computer", "letter_tray", "mobile_phone",
    "monitor", "mouse", "mug", "paper_notebook", "pen", "phone", "printer", "projector", "punchers", "ring_binder",
    "ruler", "scissors", "speaker", "stapler", "tape_dispenser", "trash_can",
)  # fmt: skip
"""The 31 categories, in the order of their labels."""

Domain = Literal["amazon", "dslr", "webcam"]
"""Where the images come from: an online shop, a good camera, or a webcam."""

_ORIGIN = "faculty.cc.gatech.edu/~judy/domainadapt (Office-31, original images)"


def office31(
    root: Path,
    *,
    split: Literal["train", "test"],
    domain: Domain = "amazon",
    size: int = 112,
    cache: Path | None = None,
) -> Source:
    """Read one domain of Office-31: 2817, 498 or 795 images.

    The data set has no split; 20 % of the images, drawn once and for all and class by class, are the test split. Some
    images are there twice or more (49 are copies of another): copies are in one split.

    Args:
        root: the folder that holds `amazon/images`, `dslr/images` and `webcam/images`, or one that holds it as
            `office31`.
        split: which split.
        domain: which domain.
        size: side length in pixels to which images are resized.
        cache: folder for decoded images; None to keep them in memory only.

    Raises:
        DataError: if the folder is missing, a category is missing or has no images.
        ValueError: if there is no such split.
    """
    named = Path(root) / "office31"
    folder = (named if named.is_dir() else Path(root)) / domain / "images"
    if not folder.is_dir():
        raise wrong(folder, wanted=f"the categories of the domain {domain}", found="no such folder", origin=_ORIGIN)
    listing = list_classes(folder, origin=_ORIGIN)
    odd = set(listing.class_names) ^ set(CATEGORIES)
    if odd:
        found = f"{', '.join(sorted(odd))} missing or too many"
        raise wrong(folder, wanted="the 31 categories", found=found, origin=_ORIGIN)
    whole = load(listing, size=size, cache=cache)
    train, test = split_source(replace(whole, groups=_copies(whole.images)), share=0.2, seed=0)
    return part({"train": train, "test": test}, name=split)


def _copies(images: UInt8[Tensor, "examples channel height width"]) -> Int64[Tensor, " examples"]:
    """Give every image the number of the first one that has the same pixels."""
    first: dict[bytes, int] = {}
    digests = (hashlib.sha256(image.numpy().tobytes()).digest() for image in images)
    return torch.tensor([first.setdefault(digest, number) for number, digest in enumerate(digests)])
