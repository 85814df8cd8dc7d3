"""Augmentations: random changes of training images, each example by its own stream."""

from dataclasses import dataclass

import torch
from torch import Tensor

from manyheads.randomness import Streams


@dataclass(frozen=True)
class Flip:
    """Mirror every other image, left to right, at random. Never for digits or signs, whose meaning it changes."""

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Mirror the images that their streams choose."""
        chosen = Streams(batch["stream"]).fork("flip").uniform(1)[:, :, None, None] < 0.5
        return {**batch, "image": torch.where(chosen, batch["image"].flip(3), batch["image"])}


@dataclass(frozen=True)
class Crop:
    """Shift images at random, by up to `padding` pixels in each direction; what comes in from outside is black.

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

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Shift each image by its own amount."""
        image = batch["image"]
        count, _, height, width = image.shape
        draws = Streams(batch["stream"]).fork("crop").uniform(2)
        shift = (draws * (2 * self.padding + 1)).long()
        padded = torch.nn.functional.pad(image, (self.padding,) * 4)
        rows = (shift[:, :1] + torch.arange(height, device=image.device))[:, None, :, None]
        columns = (shift[:, 1:] + torch.arange(width, device=image.device))[:, None, None, :]
        examples = torch.arange(count, device=image.device)[:, None, None, None]
        channels = torch.arange(image.shape[1], device=image.device)[None, :, None, None]
        return {**batch, "image": padded[examples, channels, rows, columns]}
