"""Objectives on several tasks at once: all of them, any of them, balanced, or the one that suffers least."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.tasks import known
from manyheads.threats.objective import Objective, TaskLoss
from manyheads.types import Outputs, PerExample, Truth

_FLOOR = 1e-6
"""What a loss is raised by before its logarithm is taken; no gradient counts more than a million times."""


def all_met(conditions: Float[Tensor, "*axes conditions"]) -> Float[Tensor, "*axes"]:
    """Return one number that is above zero exactly when all conditions are.

    Where some are not met, it is their sum, so that a gradient step works on all of them at once; where all are met,
    it is the smallest.
    """
    unmet = conditions.clamp_max(0).sum(-1)
    return torch.where(unmet < 0, unmet, conditions.amin(-1))


@dataclass(frozen=True)
class AllOf(Objective):
    """Every goal is reached: above zero exactly where each goal's own success is.

    An example without a truth for one of the goals is never won.

    Args:
        goals: objectives that tell when they are reached: `Margin`, `Targeted` and their kin.

    Raises:
        ValueError: if there is no goal, or one cannot tell when it is reached.
    """

    goals: Sequence[Objective]

    def __post_init__(self) -> None:
        """Refuse an empty goal, which the clean image would meet, and goals without an end."""
        _check_goals(self.goals, what="all")

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the sum of what is missing; the smallest lead where nothing is."""
        return all_met(_reached(self.goals, outputs=outputs, truth=truth))

    @property
    def success(self) -> Objective:
        """Itself."""
        return self


@dataclass(frozen=True)
class AnyOf(Objective):
    """At least one goal is reached: above zero exactly where some goal's own success is; the nearest goal counts.

    Args:
        goals: objectives that tell when they are reached: `Margin`, `Targeted` and their kin.

    Raises:
        ValueError: if there is no goal, or one cannot tell when it is reached.
    """

    goals: Sequence[Objective]

    def __post_init__(self) -> None:
        """Refuse an empty goal and goals without an end."""
        _check_goals(self.goals, what="any")

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the highest of the goals' values."""
        return _reached(self.goals, outputs=outputs, truth=truth).amax(1)

    @property
    def success(self) -> Objective:
        """Itself."""
        return self

    @property
    def parts(self) -> tuple[Objective, ...]:
        """Those of all goals' successes."""
        return tuple(part for goal in self.goals if goal.success is not None for part in goal.success.parts)


@dataclass(frozen=True)
class Balanced(Objective):
    """Sum of the logarithms of the tasks' losses: each gradient counts as `gradient / loss`, whatever a loss's unit.

    A loss that is twice as large does not pull twice as hard. Weights do not matter, but must be above zero. An example
    without a target for a task has a loss of zero there, which adds a constant.

    Args:
        total: the losses.

    Raises:
        ValueError: if a weight is not above zero.

    Reference: the idea is dynamic gradient balancing's, Σ ∇L_t / L_t; the step of an attack in that direction is a step
    along this objective's gradient. Differs from it in: nothing but a floor of 1e-6 under each loss.
    """

    total: TaskLoss

    def __post_init__(self) -> None:
        """Refuse losses that have no logarithm."""
        _check_weights(self.total, kind="balanced losses")

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the sum of the logarithms."""
        return (torch.stack(list(self.terms(outputs, truth).values())) + _FLOOR).log().sum(0)

    def terms(self, outputs: Outputs, truth: Truth) -> Mapping[str, PerExample]:
        """Return each task's weighted loss."""
        return self.total.terms(outputs, truth)

    @property
    def weights(self) -> Mapping[str, float]:
        """Those of the losses."""
        return self.total.weights

    @property
    def success(self) -> Objective | None:
        """That of the sum of the losses."""
        return self.total.success


@dataclass(frozen=True)
class WorstTask(Objective):
    """The smallest of the weighted losses: example by example, the attacker works on the task that suffers least.

    Losses in different units are made comparable by the weights. A task without a target for an example is left out of
    that example's losses; 0 where no task has one.

    Args:
        total: the losses.

    Raises:
        ValueError: if a weight is not above zero.
    """

    total: TaskLoss

    def __post_init__(self) -> None:
        """Refuse losses that are not raised."""
        _check_weights(self.total, kind="the least of several losses")

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the smallest loss."""
        losses = torch.stack(list(self.terms(outputs, truth).values()))
        asked = torch.stack([known(truth[task.name]) for task in self.total.attacked])
        return losses.where(asked, torch.inf).amin(0).where(asked.any(0), 0)

    def terms(self, outputs: Outputs, truth: Truth) -> Mapping[str, PerExample]:
        """Return each task's weighted loss."""
        return self.total.terms(outputs, truth)

    @property
    def weights(self) -> Mapping[str, float]:
        """Those of the losses."""
        return self.total.weights

    @property
    def success(self) -> Objective | None:
        """That of the sum of the losses."""
        return self.total.success


def _check_goals(goals: Sequence[Objective], *, what: str) -> None:
    if not goals:
        raise ValueError(f"{what} of no goals is nothing to attack; give at least one")
    endless = [type(goal).__name__ for goal in goals if goal.success is None]
    if endless:
        raise ValueError(f"{', '.join(endless)} cannot tell when it is reached; give a goal that can, such as Margin")


def _check_weights(total: TaskLoss, *, kind: str) -> None:
    low = {name: weight for name, weight in total.weights.items() if not weight > 0}
    if low:
        raise ValueError(f"{kind} need weights above zero, got {low}")


def _reached(goals: Sequence[Objective], *, outputs: Outputs, truth: Truth) -> Float[Tensor, "batch goals"]:
    successes = [goal.success for goal in goals]
    return torch.stack([success(outputs, truth) for success in successes if success is not None], dim=1)
