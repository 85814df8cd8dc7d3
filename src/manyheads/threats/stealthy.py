"""Stealth: one head is attacked, the others must not notice."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from manyheads.threats.constrained import Constrained, Standing
from manyheads.threats.objective import Objective, TaskLoss
from manyheads.types import Outputs, PerExample, Truth


@dataclass(frozen=True)
class Stealthy(Constrained):
    """Raise some losses while each of the others stays at or below its clean value plus a tolerance.

    Won where the raised losses have grown by more than `rise` since the clean image and no quiet one is too high. The
    value is `growth − rise` there; between −1 and 0 where the others do not notice but it has not grown enough; below
    −1 where they do. It works for tasks of any kind, per pixel or per image. Climb it with `Alternating(Stealthy(...))`
    or, with a penalty of the right weight, with the attack `PenaltySearch` on it as it is.

    Args:
        raised: the losses that are raised.
        quiet: the losses that must not give the attack away; their weights set the unit of the tolerance.
        tolerance: by how much each weighted quiet loss may exceed its clean value.
        rise: how much the raised losses must have grown for the attack to count as won.

    Raises:
        ValueError: if a task is both raised and quiet, a quiet task has no weight above zero, or tolerance or rise is
            below zero.
    """

    raised: TaskLoss
    quiet: TaskLoss
    tolerance: float = 0.0
    rise: float = 0.0

    def __post_init__(self) -> None:
        """Refuse goals that contradict each other."""
        both = sorted(set(self.raised.weights) & set(self.quiet.weights))
        if both:
            raise ValueError(f"{', '.join(both)} cannot be raised and quiet at once; leave it out of one of the two")
        low = {name: weight for name, weight in self.quiet.weights.items() if not weight > 0}
        if low:
            raise ValueError(f"quiet losses need weights above zero, got {low}")
        for name in ("tolerance", "rise"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is a growth of a loss, zero or above, got {getattr(self, name)}")

    def anchors(self, outputs: Outputs, truth: Truth) -> Mapping[str, Tensor]:
        """Return all losses of the clean images."""
        losses = {"raised": self.raised(outputs, truth), **self.quiet.terms(outputs, truth)}
        return {f"clean loss of {name}": loss for name, loss in losses.items()}

    def standing(self, outputs: Outputs, truth: Truth) -> Standing:
        """Return the raised losses, how far the quiet ones are too high, and the worth.

        Raises:
            ValueError: if nobody noted the losses of the clean images.
        """
        if "clean loss of raised" not in truth:
            raise ValueError(
                "stealth is measured against the clean images, whose losses were not noted; "
                "make the loss with ThreatModel.loss(batch)"
            )
        goal = self.raised(outputs, truth)
        excess = [
            (loss - truth[f"clean loss of {name}"] - self.tolerance).clamp_min(0)
            for name, loss in self.quiet.terms(outputs, truth).items()
        ]
        unmet = -torch.stack(excess).sum(0)
        gain = goal - truth["clean loss of raised"] - self.rise
        short = gain.clamp_max(0)
        unnoticed = torch.where(gain > 0, gain, short / (1 - short))
        return Standing(goal, unmet, torch.where(unmet < 0, unmet - 1, unnoticed))

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the worth of each image."""
        return self.standing(outputs, truth).worth

    @property
    def weights(self) -> Mapping[str, float]:
        """Those of the raised losses."""
        return self.raised.weights

    @property
    def success(self) -> Objective:
        """Itself."""
        return self
