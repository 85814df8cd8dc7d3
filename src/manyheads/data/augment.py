"""Augmentations: random changes of training images, each example by its own stream, and of all that moves with them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Shaped
from torch import Tensor

from manyheads.randomness import Streams

Picture = Shaped[Tensor, "batch *planes height width"]
"""Images, or annotations that have a value per pixel."""


class Augmentation(ABC):
    """A change of a batch that draws its random numbers from the batch's own `stream`.

    Every entry with a value per pixel (its last two axes are those of `image`) is moved in the same way, so that a mask
    or a depth map stays upon its image. What has a direction, such as surface normals, needs more than being moved.
    """

    @abstractmethod
    def move(self, picture: Picture, rng: Streams) -> Picture:
        """Move the pixels of every example as its stream says; equal streams move in the same way."""

    @final
    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the batch with everything moved that has a value per pixel."""
        rng = Streams(batch["stream"])
        frame = batch["image"].shape[-2:]
        return {
            name: self.move(entry, rng) if entry.ndim > 2 and entry.shape[-2:] == frame else entry
            for name, entry in batch.items()
        }


@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirror every other image, left to right, at random. Never for digits or signs, whose meaning it changes.

    >>> batch = {"image": torch.arange(4.0).reshape(2, 1, 1, 2) / 3, "stream": torch.tensor([0, 5])}
    >>> Flip()(batch)["image"].sort(stable=True).values.equal(batch["image"])
    True
    """

    def move(self, picture: Picture, rng: Streams) -> Picture:
        """Mirror the pictures that their streams choose."""
        chosen = rng.fork("flip").uniform(1)[:, 0] < 0.5
        return torch.where(chosen.view(-1, *[1] * (picture.ndim - 1)), picture.flip(-1), picture)


@dataclass(frozen=True)
class Crop(Augmentation):
    """Shift images at random, by up to `padding` pixels in each direction; what comes in from outside is zero: black.

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

    def move(self, picture: Picture, rng: Streams) -> Picture:
        """Cut each picture out of its padded self, somewhere."""
        height, width = picture.shape[-2:]
        top, left = (rng.fork("crop").uniform(2) * (2 * self.padding + 1)).long().T
        padded = torch.nn.functional.pad(
            picture.flatten(1, -3) if picture.ndim > 3 else picture[:, None], (self.padding,) * 4
        )
        examples = torch.arange(len(picture), device=picture.device)[:, None, None, None]
        planes = torch.arange(padded.shape[1], device=picture.device)[None, :, None, None]
        rows = (top[:, None] + torch.arange(height, device=picture.device))[:, None, :, None]
        columns = (left[:, None] + torch.arange(width, device=picture.device))[:, None, None, :]
        return padded[examples, planes, rows, columns].view_as(picture)
