"""CIFAR-10, in its binary or its Python version."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from manyheads.data.errors import part, wrong
from manyheads.data.restricted_pickle import read_pickle
from manyheads.data.source import InMemory, Source

OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The ten classes, in the order of their labels."""

_ORIGIN = "www.cs.toronto.edu/~kriz/cifar.html"
_PIXELS = 3 * 32 * 32
_IN_BATCH = 10_000
_BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}

Records = tuple[Int64[np.ndarray, " examples"], UInt8[np.ndarray, "examples pixels"]]
"""Labels and pixels of one batch."""


def cifar10(root: Path, *, split: Literal["train", "test"]) -> Source:
    """Read CIFAR-10: colour images of 32×32 pixels, 50 000 and 10 000 in full.

    Of the five training batches those that are there are read, in order; every batch has 10 000 images, so the length
    of the result tells how many there were.

    Args:
        root: the folder `cifar-10-batches-bin` (binary version) or `cifar-10-batches-py` (Python version), or one that
            holds either; the binary version is preferred.
        split: which split.

    Raises:
        DataError: if no batch of the split is there, or one is damaged.
        ValueError: if there is no such split.
    """
    names = part(_BATCHES, name=split)
    base = Path(root)
    versions: list[tuple[Path, str, Callable[[Path], Records]]] = [
        (base / "cifar-10-batches-bin", ".bin", _read_binary),
        (base, ".bin", _read_binary),
        (base / "cifar-10-batches-py", "", _read_python),
        (base, "", _read_python),
    ]
    for folder, ending, read in versions:
        paths = [path for name in names if (path := folder / f"{name}{ending}").is_file()]
        if paths:
            batches = [read(path) for path in paths]
            labels = np.concatenate([labels for labels, _ in batches])
            pixels = np.concatenate([pixels for _, pixels in batches]).reshape(-1, 3, 32, 32)
            return InMemory(torch.from_numpy(pixels), torch.from_numpy(labels), OBJECTS)
    wanted = f"{names[0]}.bin (binary version) or {names[0]} (Python version), there or in cifar-10-batches-bin or -py"
    found = "no batch of this split" if base.is_dir() else "no such folder"
    raise wrong(base, wanted=wanted, found=found, origin=_ORIGIN)


def _read_binary(path: Path) -> Records:
    """Read records of one label byte and 3072 pixel bytes."""
    content = np.fromfile(path, np.uint8)
    if len(content) != _IN_BATCH * (1 + _PIXELS):
        wanted = f"{_IN_BATCH * (1 + _PIXELS)} bytes, {_IN_BATCH} records of {1 + _PIXELS}"
        raise wrong(path, wanted=wanted, found=f"{len(content)}", origin=_ORIGIN)
    records = content.reshape(_IN_BATCH, 1 + _PIXELS)
    return _checked(path, labels=records[:, 0].astype(np.int64), pixels=records[:, 1:])


def _read_python(path: Path) -> Records:
    """Read a pickled dict of `labels` and `data`, whose keys are bytes or text."""
    batch = read_pickle(path, origin=_ORIGIN)
    entries = {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    labels, pixels = entries.get("labels"), entries.get("data")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise wrong(path, wanted="a dict with the list `labels`", found=_kinds(entries), origin=_ORIGIN)
    if not isinstance(pixels, np.ndarray) or pixels.shape != (len(labels), _PIXELS) or len(labels) != _IN_BATCH:
        shape = f"shape {pixels.shape}" if isinstance(pixels, np.ndarray) else _kinds(entries)
        wanted = f"{_IN_BATCH} labels, and as `data` as many rows of {_PIXELS} bytes"
        raise wrong(path, wanted=wanted, found=f"{len(labels)} labels and {shape}", origin=_ORIGIN)
    return _checked(path, labels=np.asarray(labels, dtype=np.int64), pixels=pixels)


def _text(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _kinds(entries: dict[str, object]) -> str:
    listed = ", ".join(f"{name} ({type(value).__name__})" for name, value in sorted(entries.items()))
    return f"the entries {listed}" if listed else "no dict"


def _checked(
    path: Path, *, labels: Int64[np.ndarray, " examples"], pixels: UInt8[np.ndarray, "examples pixels"]
) -> Records:
    """Refuse labels that name no class."""
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(OBJECTS):
        raise wrong(path, wanted="labels 0 to 9", found=f"{low} to {high}", origin=_ORIGIN)
    return labels, pixels
