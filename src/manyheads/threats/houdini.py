"""Houdini: a smooth stand-in for the quality that a segmentation is judged by."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from manyheads.tasks import UNKNOWN_CLASS, Segmentation, Task, named
from manyheads.threats.objective import Objective
from manyheads.types import Outputs, PerExample, Truth


@runtime_checkable
class OverlapCost(Protocol):
    """What an image's mean intersection over union is worth to the attacker; the factor that carries no gradient."""

    def __call__(self, overlap: PerExample) -> PerExample:
        """Return the factor, given each image's mean intersection over union in [0, 1]."""
        ...


@dataclass(frozen=True)
class LostOverlap:
    """What the attacker has destroyed so far: `1 − overlap`, the paper's task loss.

    An image that is segmented without a fault costs nothing, and neither does its gradient say where to go: start at
    random.
    """

    def __call__(self, overlap: PerExample) -> PerExample:
        """Return `1 − overlap`."""
        return 1 - overlap


@dataclass(frozen=True)
class PercentOverlap:
    """What is left to destroy, in percent: `100 · overlap`, as the code published with Mao et al. has it.

    It falls while the attack succeeds, so the objective may too; an image without any overlap left has no gradient.
    """

    def __call__(self, overlap: PerExample) -> PerExample:
        """Return `100 · overlap`."""
        return 100 * overlap


@dataclass(frozen=True)
class Houdini(Objective):
    """Probability that a pixel's class would lose to noise, mean over known pixels, times the cost of the image.

    `cost · mean(1 − Φ(s_true − s_best_other))`, with Φ the standard normal distribution and s the class scores: each
    pixel's chance that standard normal noise exceeds its margin. The cost is a constant to the gradient. It is 0, with
    zero gradient, for an image without a known pixel. Nobody says when such an attacker has won.

    Args:
        task: a segmentation task, or its name.
        cost: what the image's mean intersection over union (of the image alone, over the classes that occur in truth
            or prediction) is worth: `LostOverlap()` is the paper's profile, `PercentOverlap()` the released code's.

    Reference: Cisse et al., NeurIPS 2017, eq. 7; Mao et al., ECCV 2020, section 5.2. Differs from the former in: the
    rival is the best of the other classes also where the prediction is right, as in Mao et al.
    """

    task: Task | str
    cost: OverlapCost = field(default_factory=LostOverlap)

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the expected cost of each image."""
        scores, classes = outputs[named(self.task)], truth[named(self.task)]
        seen = (classes != UNKNOWN_CLASS).flatten(1)
        losing = torch.special.ndtr(-_margin(scores, truth=classes)).flatten(1)
        share = (losing * seen).sum(1) / seen.sum(1).clamp_min(1)
        return self.cost(_overlap(scores, truth=classes)) * share


def _margin(
    scores: Float[Tensor, "batch classes height width"], *, truth: Int64[Tensor, "batch height width"]
) -> Float[Tensor, "batch height width"]:
    """Score of the true class minus the best other; of class 0 where the truth is unknown."""
    given = truth.clamp_min(0)[:, None]
    others = scores.scatter(1, given, float("-inf")).max(1).values
    return scores.gather(1, given)[:, 0] - others


def _overlap(
    scores: Float[Tensor, "batch classes height width"], *, truth: Int64[Tensor, "batch height width"]
) -> PerExample:
    """Each image's own mean intersection over union; 0 without a known pixel."""
    state = Segmentation(scores.shape[1]).count(scores, truth)
    return state[:, -2].to(scores.dtype)
