"""Augmentations: random changes of training images, each example by its own stream, and of all that moves with them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from manyheads.randomness import Streams

Picture = Shaped[Tensor, "batch *planes height width"]
"""Images, or annotations that have a value per pixel."""

Moved = Shaped[Tensor, "batch *planes rows columns"]
"""The same, moved; a window may be smaller than the picture."""

Normals = Float[Tensor, "batch 3 height width"]
"""Surface normals: x to the right, y down, z forward."""

Intrinsics = Float[Tensor, "batch 4"]
"""Cameras: fx, fy, cx, cy in pixels, pixel centres at whole numbers."""


class Augmentation(ABC):
    """A change of a batch that draws its random numbers from the batch's own `stream`.

    Every entry with a value per pixel (its last two axes are those of `image`) is moved in the same way, so that a mask
    or a depth map stays upon its image. Besides, the directions in `normal` are turned and the cameras in `intrinsics`
    aimed with it. What comes in from outside is black in the image and unknown elsewhere: NaN, -1 in whole numbers,
    False in flags.
    """

    @abstractmethod
    def move(self, picture: Picture, rng: Streams, *, fill: float) -> Moved:
        """Move the pixels of every example as its stream says; equal streams move in the same way."""

    @abstractmethod
    def turn(self, normal: Normals, rng: Streams) -> Normals:
        """Turn the directions of surfaces whose pixels have been moved."""

    @abstractmethod
    def aim(self, intrinsics: Intrinsics, rng: Streams, *, size: tuple[int, int]) -> Intrinsics:
        """Say what cameras see the moved pictures; `size` is the height and width from before."""

    @final
    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the batch with everything moved that has a value per pixel.

        Raises:
            ValueError: if the annotations are bytes, which have no number for unknown.
        """
        rng = Streams(batch["stream"])
        height, width = batch["image"].shape[-2:]
        moved = {
            name: self.move(entry, rng, fill=_fill(entry, name=name))
            if entry.ndim > 2 and entry.shape[-2:] == (height, width)
            else entry
            for name, entry in batch.items()
        }
        if "normal" in moved:
            moved["normal"] = self.turn(moved["normal"], rng)
        if "intrinsics" in moved:
            moved["intrinsics"] = self.aim(moved["intrinsics"], rng, size=(height, width))
        return moved


@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirror every other image, left to right, at random. Never for digits or signs, whose meaning it changes.

    >>> batch = {"image": torch.arange(4.0).reshape(2, 1, 1, 2) / 3, "stream": torch.tensor([0, 5])}
    >>> Flip()(batch)["image"].sort(stable=True).values.equal(batch["image"])
    True
    """

    def move(self, picture: Picture, rng: Streams, *, fill: float) -> Moved:  # noqa: ARG002 (nothing comes in)
        """Mirror the pictures that their streams choose."""
        return torch.where(_column(_flipped(rng), axes=picture.ndim), picture.flip(-1), picture)

    def turn(self, normal: Normals, rng: Streams) -> Normals:
        """Change the sign of x."""
        mirrored = torch.cat([-normal[:, :1], normal[:, 1:]], dim=1)
        return torch.where(_column(_flipped(rng), axes=4), mirrored, normal)

    def aim(self, intrinsics: Intrinsics, rng: Streams, *, size: tuple[int, int]) -> Intrinsics:
        """Mirror the centre."""
        fx, fy, cx, cy = intrinsics.T
        return torch.stack([fx, fy, torch.where(_flipped(rng), size[1] - 1 - cx, cx), cy], dim=1)


@dataclass(frozen=True)
class Crop(Augmentation):
    """Shift images at random, by up to `padding` pixels in each direction.

    Args:
        padding: the largest shift, in pixels.

    Raises:
        ValueError: if it is below one.
    """

    padding: int

    def __post_init__(self) -> None:
        """Refuse a shift of nothing."""
        if self.padding < 1:
            raise ValueError(f"a crop shifts by at least one pixel, got padding={self.padding}; leave it out instead")

    def move(self, picture: Picture, rng: Streams, *, fill: float) -> Moved:
        """Cut each picture out of its padded self, somewhere."""
        height, width = picture.shape[-2:]
        planes = picture.flatten(1, -3) if picture.ndim > 3 else picture[:, None]
        padded = torch.nn.functional.pad(planes, (self.padding,) * 4, value=fill)
        return _cut(padded, self._corner(rng), height=height, width=width).view_as(picture)

    def turn(self, normal: Normals, rng: Streams) -> Normals:  # noqa: ARG002 (no direction changes)
        """Keep the directions."""
        return normal

    def aim(self, intrinsics: Intrinsics, rng: Streams, *, size: tuple[int, int]) -> Intrinsics:  # noqa: ARG002
        """Shift the centre."""
        return _shifted(intrinsics, self._corner(rng) - self.padding)

    def _corner(self, rng: Streams) -> Int64[Tensor, "batch 2"]:
        """Top and left of the window in the padded picture."""
        return (rng.fork("crop").uniform(2) * (2 * self.padding + 1)).long()


@dataclass(frozen=True)
class RandomCrop(Augmentation):
    """Cut a window of a fixed size out of each picture, anywhere.

    Args:
        height: the window's height in pixels.
        width: its width.

    Raises:
        ValueError: if the window is empty; when called, if it is larger than a picture.
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        """Refuse an empty window."""
        if min(self.height, self.width) < 1:
            raise ValueError(f"a window has at least one pixel, got {self.height}×{self.width}")

    def move(self, picture: Picture, rng: Streams, *, fill: float) -> Moved:  # noqa: ARG002 (nothing comes in)
        """Cut the windows."""
        height, width = picture.shape[-2:]
        planes = picture.flatten(1, -3) if picture.ndim > 3 else picture[:, None]
        window = _cut(planes, self._corner(rng, size=(height, width)), height=self.height, width=self.width)
        return window.reshape(*picture.shape[:-2], self.height, self.width)

    def turn(self, normal: Normals, rng: Streams) -> Normals:  # noqa: ARG002 (no direction changes)
        """Keep the directions."""
        return normal

    def aim(self, intrinsics: Intrinsics, rng: Streams, *, size: tuple[int, int]) -> Intrinsics:
        """Shift the centre."""
        return _shifted(intrinsics, self._corner(rng, size=size))

    def _corner(self, rng: Streams, *, size: tuple[int, int]) -> Int64[Tensor, "batch 2"]:
        """Top and left of the window."""
        rows, columns = size[0] - self.height, size[1] - self.width
        if min(rows, columns) < 0:
            raise ValueError(f"a window of {self.height}×{self.width} does not fit into {size[0]}×{size[1]} pixels")
        down, right = rng.fork("window").uniform(2).T
        return torch.stack([down * (rows + 1), right * (columns + 1)], dim=1).long()


def _fill(entry: Tensor, *, name: str) -> float:
    """Tell what stands where an entry of a batch is not known."""
    if name == "image" or entry.dtype == torch.bool:
        return 0.0
    if entry.is_floating_point():
        return math.nan
    if not entry.dtype.is_signed:
        raise ValueError(f"{name!r} is {entry.dtype}, which has no -1 for unknown pixels; make it int64")
    return -1.0


def _flipped(rng: Streams) -> Shaped[Tensor, " batch"]:
    return rng.fork("flip").uniform(1)[:, 0] < 0.5


def _column(flags: Tensor, *, axes: int) -> Tensor:
    """One flag per example, to stand beside pictures of so many axes."""
    return flags.view(-1, *[1] * (axes - 1))


def _cut(planes: Tensor, corner: Tensor, *, height: int, width: int) -> Tensor:
    """Cut a window out of each picture, (batch, planes, height, width), its top left corner there."""
    device = planes.device
    examples = torch.arange(len(planes), device=device)[:, None, None, None]
    depth = torch.arange(planes.shape[1], device=device)[None, :, None, None]
    rows = (corner[:, :1] + torch.arange(height, device=device))[:, None, :, None]
    columns = (corner[:, 1:] + torch.arange(width, device=device))[:, None, None, :]
    return planes[examples, depth, rows, columns]


def _shifted(intrinsics: Tensor, corner: Tensor) -> Tensor:
    """Cameras of windows whose top left corner is there."""
    return torch.cat([intrinsics[:, :2], intrinsics[:, 2:] - corner.flip(1)], dim=1)
