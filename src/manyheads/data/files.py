"""Image files: decoded once into memory or a memory map, or streamed, decoded whenever they are asked for."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from manyheads.data.errors import DataError, wrong
from manyheads.data.source import InMemory, Source

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".webp"})
"""Endings of the image files that readers of folders look at."""


@dataclass(frozen=True, eq=False)
class Listing:
    """Image files with their labels, before any is decoded.

    Args:
        paths: the files.
        labels: the class of each, from 0.
        class_names: a name for each class.
        groups: what belongs together and is never split, such as the frames of one track; None for nothing.
    """

    paths: Sequence[Path]
    labels: Sequence[int]
    class_names: tuple[str, ...]
    groups: Sequence[int] | None = None


def images_in(folder: Path) -> list[Path]:
    """List the image files right in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def decode(path: Path, *, size: int) -> UInt8[Tensor, "3 size size"]:
    """Decode one image as RGB and resize it to a square (bilinear, antialiased); grey images get three equal channels.

    Raises:
        DataError: if the file is no whole image.
    """
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except FileNotFoundError as error:
        raise DataError(f"{path}: the list of images names this file, but it is not there") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: expected an image, but it cannot be decoded ({error}); get this file again") from error
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


class Streamed(Source):
    """Image files that are decoded whenever they are fetched: for folders that do not fit into memory.

    Args:
        listing: the files.
        size: side length in pixels to which they are resized.

    Raises:
        ValueError: if there are none.
    """

    def __init__(self, listing: Listing, *, size: int) -> None:
        if not listing.paths:
            raise ValueError("a source needs at least one image file, got none")
        self.paths, self.size = tuple(listing.paths), size
        self.labels = torch.tensor(listing.labels, dtype=torch.int64)
        self.class_names, self.image_shape = listing.class_names, (3, size, size)
        self.groups = None if listing.groups is None else torch.tensor(listing.groups, dtype=torch.int64)

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Decode the files of these rows."""
        image = torch.stack([decode(self.paths[row], size=self.size) for row in rows.tolist()])
        return {"image": image, "label": self.labels[rows], "index": rows}


def load(listing: Listing, *, size: int, cache: Path | None = None) -> InMemory:
    """Decode all files once.

    Args:
        listing: the files.
        size: side length in pixels to which they are resized.
        cache: folder of memory maps; a listing that was decoded into it before is not decoded again while names, sizes
            and times of its files stay the same. None to decode into memory.

    Raises:
        DataError: if a file is missing or is no image.
    """
    files = Streamed(listing, size=size)
    if cache is None:
        images = torch.from_numpy(_decode_all(files, np.empty((len(files), 3, size, size), np.uint8)))
    else:
        images = torch.from_numpy(_mapped(files, cache))
    loaded = InMemory(images, files.labels, files.class_names)
    loaded.groups = files.groups
    return loaded


def _decode_all(files: Streamed, into: np.ndarray) -> np.ndarray:
    with ThreadPoolExecutor() as pool:
        for place, image in enumerate(pool.map(lambda path: decode(path, size=files.size), files.paths)):
            into[place] = image.numpy()
    return into


def _mapped(files: Streamed, cache: Path) -> np.ndarray:
    """Open the memory map of these files, made first where it is not there or they have changed."""
    seen = hashlib.sha256(str(files.size).encode())
    for path in files.paths:
        if not path.exists():
            raise wrong(path, wanted="an image file", found="no such file", source="where the rest of the set came from")
        state = path.stat()
        seen.update(f"{path}|{state.st_size}|{state.st_mtime_ns}\n".encode())
    target = cache / f"{seen.hexdigest()[:32]}.npy"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".tmp")
        shape = (len(files), 3, files.size, files.size)
        mapped = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
        _decode_all(files, mapped)
        mapped.flush()
        unfinished.replace(target)
    return np.load(target, mmap_mode="c")
