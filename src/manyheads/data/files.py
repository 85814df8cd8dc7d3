"""Image files: decoded once into memory or a memory map, or streamed, decoded whenever they are asked for."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from manyheads.data.errors import DataError, wrong
from manyheads.data.source import InMemory, Source

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".webp", ".tif", ".tiff"})
"""Endings of the image files that readers of folders look at."""

_EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
"""Pillow's names of the pixel formats that have 8 bits per channel, or fewer."""


@dataclass(frozen=True, eq=False)
class Listing:
    """Image files with their labels, before any is decoded.

    Args:
        paths: the files.
        labels: the class of each, from 0.
        class_names: a name for each class.
        origin: where to get them, for the errors about them.
        groups: what belongs together and is never split, such as the frames of one track; None for nothing.
    """

    paths: Sequence[Path]
    labels: Sequence[int]
    class_names: tuple[str, ...]
    origin: str
    groups: Sequence[int] | None = None


def images_in(folder: Path) -> list[Path]:
    """List the image files right in a folder, by name, without hidden ones; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")


def decode_colours(path: Path) -> Image.Image:
    """Decode one image as RGB; grey images get three equal channels, transparency is dropped.

    Raises:
        DataError: if the file is missing, is no whole image, or has more than 8 bits per channel.
    """
    try:
        with Image.open(path) as file:
            if file.mode not in _EIGHT_BITS:
                raise DataError(
                    f"{path}: expected 8 bits per channel, found Pillow's mode {file.mode!r}; convert the image first, "
                    "so that it is you who decides how its values become 0 to 255"
                )
            return (file.convert("RGBA") if file.has_transparency_data else file).convert("RGB")
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected an image, found no such file") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: expected an image, but it cannot be decoded ({error}); get this file again"
        ) from error


def decode(path: Path, *, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
    """Decode one image as RGB and resize it to a square (bilinear, antialiased).

    Grey images get three equal channels; transparency is dropped. An image of the right size keeps its exact pixels.

    Args:
        path: the file.
        size: side length in pixels.

    Raises:
        DataError: if the file is missing, is no whole image, or has more than 8 bits per channel.
    """
    image = decode_colours(path)
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
        self.paths, self.size, self.origin = tuple(listing.paths), size, listing.origin
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
        cache: folder of memory maps, which may be deleted at any time; a listing that was decoded into it before is not
            decoded again while names, sizes and times of its files stay the same. None to decode into memory.

    Raises:
        DataError: if a file is missing or is no image, or its copy in the cache is damaged.
    """
    files = Streamed(listing, size=size)
    if cache is None:
        images = np.empty((len(files), 3, size, size), np.uint8)
        _decode_into(images, files)
    else:
        images = _mapped(files, Path(cache))
    return InMemory(torch.from_numpy(images), files.labels, files.class_names, files.groups)


def _decode_into(images: np.ndarray, files: Streamed) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for place, image in enumerate(pool.map(lambda path: decode(path, size=files.size), files.paths)):
            images[place] = image.numpy()


def _mapped(files: Streamed, cache: Path) -> np.ndarray:
    """Open the memory map of these files, made first where it is not there or they have changed."""
    shape = (len(files), 3, files.size, files.size)
    target = cache / f"{_fingerprint(files)}.npy"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Written under a name of its own and then renamed: whoever else looks sees all of it or nothing.
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
            draft = Path(unfinished) / target.name
            images = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=shape)
            _decode_into(images, files)
            images.flush()
            draft.replace(target)
    try:
        # Copy on write: torch wants memory that it may write to, and the file must stay as it is.
        return np.load(target, mmap_mode="c")
    except (OSError, ValueError) as error:
        raise DataError(f"{target}: the decoded copy is damaged ({error}); delete it, it is made anew") from error


def _fingerprint(files: Streamed) -> str:
    """Name what the decoded images depend on: their size, and name, size and time of every file."""
    seen = hashlib.sha256(f"RGB, bilinear, {files.size}\n".encode())
    for path in files.paths:
        if not path.is_file():
            raise wrong(path, wanted="an image file", found="no such file", origin=files.origin)
        state = path.stat()
        seen.update(f"{path.absolute()}|{state.st_size}|{state.st_mtime_ns}\n".encode())
    return seen.hexdigest()[:32]
