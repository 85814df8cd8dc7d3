"""The logarithm of another objective: tasks whose losses differ in scale pull with like strength."""

from dataclasses import dataclass

import torch

from manyheads.threats.objective import Objective, Targeted, TaskLoss
from manyheads.types import Outputs, PerExample, Truth

_FLOOR = 1e-8
"""Added to the magnitude: float32 cross-entropy is exactly zero below 6e-8, where a logarithm would be infinite."""


@dataclass(frozen=True)
class Logarithmic(Objective):
    """`log(o)` of an objective o above zero, `−log(−o)` of one below: it rises where o does.

    So it raises the logarithm of a task's loss (`TaskLoss`), and lowers that of the cross-entropy to a wanted class
    (`Targeted`). Attacks that follow the gradient's direction alone hardly notice; what is trained on the mean over
    examples and tasks does. The attacker has won when it has by the goal.

    Args:
        goal: an objective that is above zero for all examples, or below zero for all.

    Raises:
        ValueError: if the goal is a margin, which changes its sign where the attacker wins.

    Reference: Guo et al. 2020 (MTA), eqs. 2 and 4. Differs from it in: 1e-8 is added to the magnitude.
    """

    goal: Objective

    def __post_init__(self) -> None:
        """Refuse a goal whose sign is its meaning."""
        if self.goal.success is self.goal:
            raise ValueError(
                f"the logarithm needs an objective of one sign, and {type(self.goal).__name__} changes it where the "
                "attacker wins; give it TaskLoss or Targeted"
            )

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the logarithm of each example's objective, with the sign that keeps it rising."""
        value = self.goal(outputs, truth)
        logarithm = (value.abs() + _FLOOR).log()
        # Zero itself is the end of the goal's side: the best of a target that is hit beyond doubt, else the worst.
        below = (value <= 0) if self._lowers_a_loss else (value < 0)
        return torch.where(below, -logarithm, logarithm)

    @property
    def success(self) -> Objective | None:
        """What tells for the goal."""
        return self.goal.success

    @property
    def _lowers_a_loss(self) -> bool:
        """Whether the goal is known to lie below zero."""
        goal = self.goal
        return isinstance(goal, Targeted) or (isinstance(goal, TaskLoss) and max(goal.weights.values()) < 0)
