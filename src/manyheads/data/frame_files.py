"""Frame files: images and planes of numbers (classes, depths) in files, resized so that numbers never mix."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, final

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64, Shaped, UInt8
from PIL import Image
from torch import Tensor

from manyheads.data.errors import wrong
from manyheads.data.files import decode_colours
from manyheads.data.source import Source

Record = TypeVar("Record")
"""What a source knows of a frame before it is decoded, such as its paths."""

Size = tuple[int, int]
"""Height and width in pixels."""

UNKNOWN_CLASS = -1
"""What `segmentation` has where the class is not known."""

EIGHT_BITS = frozenset({"L", "P"})
"""Pillow's names of planes with 8 bits per pixel; of a palette the places are read, not the colours."""

SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I"})
"""Pillow's names of planes with 16 bits per pixel."""


@final
class StreamedFrames(Source, Generic[Record]):
    """Frames that are decoded whenever they are fetched; `label` is zero.

    Args:
        records: one per frame.
        read: decodes a frame: `image` and its annotations, all without a batch axis.
        class_names: a name for each class of `segmentation`.
        size: height and width of what `read` returns.
        groups: what belongs together, such as the frames of one building; None for nothing.

    Raises:
        ValueError: if there are no frames.
    """

    def __init__(
        self,
        records: Sequence[Record],
        read: Callable[[Record], dict[str, Tensor]],
        *,
        class_names: tuple[str, ...],
        size: Size,
        groups: Sequence[int] | None = None,
    ) -> None:
        if not records:
            raise ValueError("a source needs at least one frame, got none")
        self.records, self.read = tuple(records), read
        self.class_names, self.image_shape = class_names, (3, *size)
        self.labels = torch.zeros(len(records), dtype=torch.int64)
        self.groups = None if groups is None else torch.tensor(groups, dtype=torch.int64)

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Decode the frames of these rows."""
        frames = [self.read(self.records[row]) for row in rows.tolist()]
        entries = {name: torch.stack([frame[name] for frame in frames]) for name in (frames[0] if frames else {})}
        return entries | {"label": self.labels[rows], "index": rows}


class Picture(NamedTuple):
    """An image and the size that its file has, which the files beside it must have as well."""

    image: UInt8[Tensor, "3 height width"]
    file_size: Size


def read_picture(path: Path, *, size: Size | None) -> Picture:
    """Decode an image as RGB and resize it (bilinear, antialiased).

    Args:
        path: the file.
        size: height and width to resize to; None to keep those of the file.

    Raises:
        DataError: if the file is missing, is no whole image, or has more than 8 bits per channel.
    """
    image = decode_colours(path)
    file_size = (image.height, image.width)
    if size is not None and size != file_size:
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return Picture(torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous(), file_size)


def read_numbers(path: Path, *, modes: frozenset[str], size: Size, origin: str) -> Int32[Tensor, "height width"]:
    """Decode a plane of whole numbers, such as classes or depths, as they are in the file.

    Args:
        path: the file.
        modes: Pillow's names of the pixel formats that are allowed.
        size: the height and width that the file must have.
        origin: where to get it, for the errors.

    Raises:
        DataError: if the file is missing, is no whole image, or of another format or size.
    """
    try:
        with Image.open(path) as file:
            mode, numbers = file.mode, np.array(file)
    except FileNotFoundError as error:
        raise wrong(path, wanted="an image file", found="no such file", origin=origin) from error
    except (OSError, SyntaxError, ValueError) as error:
        found = f"one that cannot be decoded ({error})"
        raise wrong(path, wanted="an image file", found=found, origin=origin) from error
    if mode not in modes:
        wanted = f"one number per pixel (Pillow's mode {' or '.join(sorted(modes))})"
        raise wrong(path, wanted=wanted, found=f"mode {mode!r}", origin=origin)
    if numbers.shape != size:
        wanted = f"the size of its image, {size[0]}×{size[1]}"
        raise wrong(path, wanted=wanted, found=f"{numbers.shape[0]}×{numbers.shape[1]}", origin=origin)
    return torch.from_numpy(numbers.astype(np.int32))


def nearest(plane: Shaped[Tensor, "*planes height width"], *, size: Size) -> Shaped[Tensor, "*planes rows columns"]:
    """Resize by taking at each new pixel's centre the value found there: nothing is mixed."""
    rows, columns = (
        ((torch.arange(new) + 0.5) * old / new).long() for new, old in zip(size, plane.shape[-2:], strict=True)
    )
    return plane[..., rows[:, None], columns]


def smooth(plane: Float32[Tensor, "planes height width"], *, size: Size) -> Float32[Tensor, "planes rows columns"]:
    """Resize by weighted averages (bilinear, antialiased): for heat maps, which are known everywhere."""
    return torch.nn.functional.interpolate(plane[None], size=size, mode="bilinear", antialias=True)[0]


def resized_intrinsics(intrinsics: tuple[float, float, float, float], *, old: Size, new: Size) -> Float32[Tensor, "4"]:
    """Scale a camera to a resized frame: fx, fy, cx, cy in its pixels.

    Pixel centres are whole numbers, so the picture's corner is at -1/2 and stays there: c' = (c + 1/2) scale - 1/2.

    >>> resized_intrinsics((100.0, 100.0, 31.5, 23.5), old=(48, 64), new=(24, 32)).tolist()
    [50.0, 50.0, 15.5, 11.5]
    """
    fx, fy, cx, cy = intrinsics
    down, across = new[0] / old[0], new[1] / old[1]
    return torch.tensor([fx * across, fy * down, (cx + 0.5) * across - 0.5, (cy + 0.5) * down - 0.5])
