"""Attributes of an image that can be read off its pixels and split into levels, without any annotation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import torch
from jaxtyping import Int64
from torch import Tensor

from manyheads.types import Image, PerExample

_FLAT = 1e-6
"""Variance of the rows, in pixels squared, below which it is rounding."""


@dataclass(frozen=True)
class Attribute(ABC):
    """A number measured on each image, split into levels by thresholds.

    Args:
        thresholds: rising; an image at or above n of them is on level n.

    Raises:
        ValueError: if there is no threshold, or they do not rise.
    """

    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse thresholds that leave a level empty for every image."""
        if not self.thresholds or any(not low < high for low, high in pairwise(self.thresholds)):
            raise ValueError(f"thresholds must be at least one number, rising, got {self.thresholds}")

    @abstractmethod
    def measure(self, image: Image) -> PerExample:
        """Return one number per image."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels, lowest first."""
        name, edges = type(self).__name__.lower(), [f"{edge:g}" for edge in self.thresholds]
        between = [f"{name} {low} to {high}" for low, high in pairwise(edges)]
        return (f"{name} below {edges[0]}", *between, f"{name} from {edges[-1]}")

    def __call__(self, image: Image) -> Int64[Tensor, " batch"]:
        """Return the level of each image."""
        measured = self.measure(image)
        edges = torch.tensor(self.thresholds, dtype=measured.dtype)
        return torch.bucketize(measured, edges.to(measured.device, non_blocking=measured.is_cuda), right=True)


@dataclass(frozen=True)
class Brightness(Attribute):
    """Mean pixel over all channels, in [0, 1].

    >>> Brightness((0.3,))(torch.tensor([0.1, 0.8]).reshape(2, 1, 1, 1)).tolist()
    [0, 1]
    """

    thresholds: tuple[float, ...] = (0.3,)

    def measure(self, image: Image) -> PerExample:
        """Return the mean pixel."""
        return image.flatten(1).mean(1)


@dataclass(frozen=True)
class Colourfulness(Attribute):
    """Mean over the pixels of the highest minus the lowest channel, in [0, 1]; zero for grey."""

    thresholds: tuple[float, ...] = (0.15,)

    def measure(self, image: Image) -> PerExample:
        """Return the mean spread of the channels.

        Raises:
            ValueError: if the images have one channel only.
        """
        if image.shape[1] < 2:
            raise ValueError("colourfulness needs images with several channels, got one; Brightness works on any")
        return (image.amax(1) - image.amin(1)).flatten(1).mean(1)


@dataclass(frozen=True)
class Slant(Attribute):
    """How far bright strokes on a dark ground lean, in columns to the right per row upwards: 0 upright, 1 for 45°.

    It is −Σ w x y / Σ w y², with w the pixel's brightness (mean of its channels), x its column and y its row below the
    centre of brightness; 0 where all brightness lies in one row, or there is none.
    """

    thresholds: tuple[float, ...] = (0.0,)

    def measure(self, image: Image) -> PerExample:
        """Return the slant by second moments."""
        weight = image.mean(1)
        total = weight.sum((1, 2)).clamp_min(torch.finfo(image.dtype).tiny)
        down = torch.arange(weight.shape[1], dtype=image.dtype, device=image.device)
        right = torch.arange(weight.shape[2], dtype=image.dtype, device=image.device)
        rows = weight.sum(2)
        down = down - ((rows @ down) / total)[:, None]
        both = ((weight @ right) * down).sum(1)
        height = (rows * down.square()).sum(1)
        has_height = height > _FLAT * total
        return torch.where(has_height, -both / torch.where(has_height, height, 1), 0)


_AttributeT = TypeVar("_AttributeT", bound=Attribute)


def balance(attribute: _AttributeT, image: Image, *, levels: int) -> _AttributeT:
    """Choose the thresholds so that these images spread evenly over the levels.

    Args:
        attribute: what is measured; its own thresholds are replaced.
        image: a sample of the images, the training set for example.
        levels: how many levels there shall be, at least 2.

    Raises:
        ValueError: if there are fewer than 2 levels, or the images are too much alike for so many.

    >>> balance(Brightness(), torch.tensor([0.1, 0.2, 0.6, 0.8]).reshape(4, 1, 1, 1), levels=2).thresholds
    (0.4000000059604645,)
    """
    if levels < 2:
        raise ValueError(f"an attribute has at least 2 levels, got {levels}")
    shares = torch.arange(1, levels, dtype=image.dtype, device=image.device) / levels
    cuts = attribute.measure(image).quantile(shares).tolist()
    if len(set(cuts)) < len(cuts):
        raise ValueError(f"the images are too much alike for {levels} levels: the cuts would be {cuts}; ask for fewer")
    return replace(attribute, thresholds=tuple(cuts))
