"""Losses per example; the caller reduces. What is unknown adds nothing to them, nor to their gradients."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from manyheads.types import Flags, PerExample

UNKNOWN_CLASS = -1
"""The class of an example or a pixel without a label. Unknown numbers are NaN."""


@dataclass(frozen=True)
class CrossEntropy:
    """Cross-entropy of class scores, in nats, one number per example; 0 where the class is unknown."""

    def __call__(self, output: Float[Tensor, "batch classes"], truth: Int64[Tensor, " batch"]) -> PerExample:
        """Return −log softmax(output)[truth]."""
        return torch.nn.functional.cross_entropy(output, truth, reduction="none", ignore_index=UNKNOWN_CLASS)


@dataclass(frozen=True)
class MaskedCrossEntropy:
    """Cross-entropy of class scores per pixel, in nats, averaged over the pixels whose class is known.

    Exactly 0, with zero gradient, for an example without such a pixel.
    """

    def __call__(
        self, output: Float[Tensor, "batch classes height width"], truth: Int64[Tensor, "batch height width"]
    ) -> PerExample:
        """Return the mean of −log softmax(output)[truth] over the pixels with a class above −1."""
        nats = torch.nn.functional.cross_entropy(output, truth, reduction="none", ignore_index=UNKNOWN_CLASS)
        return _mean_over(truth != UNKNOWN_CLASS, nats)


@dataclass(frozen=True)
class MaskedL1:
    """Mean absolute error over known pixels and all channels, in the truth's unit.

    A pixel is known where no channel of the truth is NaN. Exactly 0, with zero gradient, without such a pixel.
    """

    def __call__(
        self,
        output: Float[Tensor, "batch channel height width"],
        truth: Float[Tensor, "batch channel height width"],
    ) -> PerExample:
        """Return the mean of |output − truth|."""
        difference, mask = known_difference(output, truth=truth)
        return _mean_over(mask, difference.abs().mean(1))


@dataclass(frozen=True)
class MaskedL2:
    """Mean squared error over known pixels and all channels, in the truth's unit squared.

    A pixel is known where no channel of the truth is NaN. Exactly 0, with zero gradient, without such a pixel.
    """

    def __call__(
        self,
        output: Float[Tensor, "batch channel height width"],
        truth: Float[Tensor, "batch channel height width"],
    ) -> PerExample:
        """Return the mean of (output − truth)²."""
        difference, mask = known_difference(output, truth=truth)
        return _mean_over(mask, difference.square().mean(1))


@dataclass(frozen=True)
class MaskedCosine:
    """Mean of `1 − cos` of the angle between two directions over known pixels: 0 where they agree, 2 where opposed.

    Neither needs to be of length one; a direction of length zero counts as a right angle. A pixel is known where no
    channel of the truth is NaN. Exactly 0, with zero gradient, without such a pixel.

    Reference: Eigen & Fergus, ICCV 2015, section 3 (its negative dot product, with one added).
    """

    def __call__(
        self,
        output: Float[Tensor, "batch channel height width"],
        truth: Float[Tensor, "batch channel height width"],
    ) -> PerExample:
        """Return the mean of 1 − output · truth / (|output| |truth|)."""
        mask = known_pixels(truth)
        cosine = torch.nn.functional.cosine_similarity(output, truth.where(mask[:, None], 0), dim=1)
        return _mean_over(mask, (1 - cosine).where(mask, 0))


def known(truth: Tensor) -> Flags:
    """Tell which examples have a target at all: a pixel (or a label) that is not unknown.

    Args:
        truth: what a task's `target` returns; the first axis counts the examples.

    >>> known(torch.tensor([3, UNKNOWN_CLASS])).tolist()
    [True, False]
    """
    if not truth.is_floating_point():
        return (truth != UNKNOWN_CLASS).flatten(1).any(1) if truth.ndim > 1 else truth != UNKNOWN_CLASS
    return known_pixels(truth).flatten(1).any(1)


def known_pixels(truth: Float[Tensor, "batch channel height width"]) -> Bool[Tensor, "batch height width"]:
    """Tell which pixels are known: those where no channel is NaN."""
    return ~truth.isnan().any(1)


def known_difference(
    output: Float[Tensor, "batch channel height width"], *, truth: Float[Tensor, "batch channel height width"]
) -> tuple[Float[Tensor, "batch channel height width"], Bool[Tensor, "batch height width"]]:
    """Output minus truth, zero (with zero gradient) where the truth is unknown; and which pixels are known."""
    mask = known_pixels(truth)
    # Masked before any further step: a gradient of zero times NaN would be NaN.
    return (output - truth).where(mask[:, None], 0), mask


def _mean_over(mask: Bool[Tensor, "batch height width"], error: Float[Tensor, "batch height width"]) -> PerExample:
    """Mean over the masked pixels of each example; the error is zero elsewhere."""
    return error.flatten(1).sum(1) / mask.flatten(1).sum(1).clamp(min=1)
