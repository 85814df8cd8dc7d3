"""Goals under a condition: what is raised, what must be kept, and two ways to climb both at once."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import torch
from torch import Tensor

from manyheads.threats.objective import Objective
from manyheads.types import Outputs, PerExample, Truth


@runtime_checkable
class Anchored(Protocol):
    """An objective that must know what the model makes of the clean images."""

    def anchors(self, outputs: Outputs, truth: Truth) -> Mapping[str, Tensor]:
        """Return what is noted of the clean images, one row per example, by name."""
        ...


@dataclass(frozen=True, eq=False)
class Standing:
    """Where each example stands between a goal and a condition.

    Args:
        goal: what the attacker raises.
        unmet: what is missing for the condition: zero where it is kept, below zero where it is not.
        worth: how good the image is, all in all.
    """

    goal: PerExample
    unmet: PerExample
    worth: PerExample


class Constrained(Objective):
    """Something to raise while a condition is kept; its own value is an image's worth."""

    @abstractmethod
    def standing(self, outputs: Outputs, truth: Truth) -> Standing:
        """Return goal, condition and worth of each example, from the same outputs."""

    @final
    def terms(self, outputs: Outputs, truth: Truth) -> Mapping[str, PerExample]:
        """Return `goal`, `unmet` and `worth`."""
        standing = self.standing(outputs, truth)
        return {"goal": standing.goal, "unmet": standing.unmet, "worth": standing.worth}


@dataclass(frozen=True)
class Alternating(Objective):
    """Goal and condition in turns: the gradient is the goal's where the condition is kept, else the condition's.

    The value is the image's worth, so that an attack returns the best image by that. It is not what the gradient is the
    gradient of: an attack must not infer one from the other.

    Args:
        problem: the goal and the condition.

    Reference: the idea is that of Bryniarski et al., ICLR 2022 (selective projected gradient descent). Differs from it
    in: all conditions count as one, their sum; nothing is projected.
    """

    problem: Constrained

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the worth, with the gradient of what is to be done next."""
        standing = self.problem.standing(outputs, truth)
        return _steered(standing, torch.where(standing.unmet < 0, standing.unmet, standing.goal))

    @property
    def goal(self) -> Constrained:
        """The problem: whose task is attacked, it says."""
        return self.problem

    @property
    def success(self) -> Objective | None:
        """That of the problem."""
        return self.problem.success

    def anchors(self, outputs: Outputs, truth: Truth) -> Mapping[str, Tensor]:
        """Return those of the problem."""
        return _anchors(self.problem, outputs=outputs, truth=truth)


@dataclass(frozen=True)
class Penalised(Objective):
    """Goal and condition at once: the gradient is that of `goal + weight * unmet`.

    The value is the image's worth, so that an attack returns the best image by that. It is not what the gradient is the
    gradient of: an attack must not infer one from the other. `PenaltySearch` finds a weight for each example.

    Args:
        problem: the goal and the condition.
        weight: what a unit of the condition is worth to the gradient.

    Raises:
        ValueError: if the weight is below zero.

    Reference: Carlini & Wagner, AISec 2017 (attack the detector with the classifier, weighted).
    """

    problem: Constrained
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a weight that rewards what is forbidden."""
        if not self.weight >= 0:
            raise ValueError(f"a condition's weight is zero or above, got {self.weight}")

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the worth, with the gradient of the penalised goal."""
        standing = self.problem.standing(outputs, truth)
        return _steered(standing, standing.goal + self.weight * standing.unmet)

    @property
    def goal(self) -> Constrained:
        """The problem: whose task is attacked, it says."""
        return self.problem

    @property
    def success(self) -> Objective | None:
        """That of the problem."""
        return self.problem.success

    def anchors(self, outputs: Outputs, truth: Truth) -> Mapping[str, Tensor]:
        """Return those of the problem."""
        return _anchors(self.problem, outputs=outputs, truth=truth)


def _steered(standing: Standing, pull: PerExample) -> PerExample:
    """Give the worth the gradient of something else."""
    return standing.worth.detach() + (pull - pull.detach())


def _anchors(problem: Constrained, *, outputs: Outputs, truth: Truth) -> Mapping[str, Tensor]:
    return problem.anchors(outputs, truth) if isinstance(problem, Anchored) else {}
