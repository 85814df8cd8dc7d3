"""Differences of scores over their spread: margins that a rescaled model cannot flatten."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from manyheads.tasks import Task, named
from manyheads.threats.objective import Aim, ClassLead, Margin, NextClass, Objective, lead
from manyheads.types import Outputs, PerExample, Truth

_TINY = 1e-12
"""The smallest spread that is divided by: among equal scores there is no scale."""


@dataclass(frozen=True)
class DLR(Objective):
    """Difference of logits ratio: the margin, divided by the spread between the highest and the third highest score.

    `(max_{i≠y} z_i − z_y) / (z_(1) − z_(3))`, with z_(k) the k-th highest score. Neither adding to the scores nor
    multiplying them changes it, so that saturated probabilities do not hide its gradient.

    Args:
        task: a classification task with three classes or more, or its name.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), section 5.
    """

    task: Task | str

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the ratio; above zero exactly when misclassified.

        Raises:
            ValueError: if the task has fewer than three classes.
        """
        scores, label = outputs[named(self.task)], truth[named(self.task)]
        highest = _highest(scores, count=3)
        return lead(scores, other_than=label) / (highest[:, 0] - highest[:, 2]).clamp_min(_TINY)

    @property
    def success(self) -> Objective:
        """The margin."""
        return Margin(self.task)


@dataclass(frozen=True)
class TargetedDLR(Objective):
    """A wanted class's lead over the true one, divided by the spread of the four highest scores.

    `(z_t − z_y) / (z_(1) − (z_(3) + z_(4)) / 2)`. It is a way to search: whoever ends up in any wrong class has won.

    Args:
        task: a classification task with four classes or more, or its name.
        aim: picks the wanted class from the true one.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), section 5.
    """

    task: Task | str
    aim: Aim = field(default_factory=NextClass)

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the ratio.

        Raises:
            ValueError: if the task has fewer than four classes.
        """
        highest = _highest(outputs[named(self.task)], count=4)
        ahead = ClassLead(self.task, self.aim)(outputs, truth)
        return ahead / (highest[:, 0] - highest[:, 2:].mean(1)).clamp_min(_TINY)

    @property
    def success(self) -> Objective:
        """The margin: any wrong class will do."""
        return Margin(self.task)


def _highest(scores: Float[Tensor, "batch classes"], *, count: int) -> Float[Tensor, "batch count"]:
    if scores.shape[1] < count:
        raise ValueError(
            f"this ratio compares the {count} highest scores, but the task has {scores.shape[1]} classes; "
            "raise Margin(task) instead"
        )
    return scores.topk(count, dim=1).values
