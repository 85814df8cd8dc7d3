"""Counters: qualities of a task as sums, so that examples, batches and ranks add up."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor


class Counter(ABC):
    """Sums over examples, from which a task's scores follow.

    The sums are one tensor, `state`, on the processor: adding the states of two batches, or of two processes, gives the
    state of both. To score sums that were kept elsewhere, assign them to a fresh counter's `state`.

    Args:
        states: how many sums are kept.

    Attributes:
        headline: the score to show where there is room for one.
        higher_is_better: whether that score is better when it is higher.
    """

    headline: ClassVar[str]
    higher_is_better: ClassVar[bool]
    state: Float64[Tensor, " states"]

    def __init__(self, *, states: int) -> None:
        """Start at zero examples."""
        self.state = torch.zeros(states, dtype=torch.float64)

    @abstractmethod
    def count(self, output: Tensor, truth: Tensor) -> Float64[Tensor, "batch states"]:
        """Return what each example adds to the state; zeros for one whose truth is unknown."""

    @abstractmethod
    def scores(self) -> dict[str, float]:
        """Compute the scores of everything counted so far; NaN where nothing was."""

    @final
    def update(self, output: Tensor, truth: Tensor) -> None:
        """Count a batch."""
        self.state += self.count(output, truth).sum(0).to(self.state)


@final
class Accuracy(Counter):
    """Share of examples whose highest score is the true class; examples of class −1 (unknown) do not count.

    State: right answers, examples.

    >>> accuracy = Accuracy()
    >>> accuracy.update(torch.eye(3)[:2], torch.tensor([0, 2]))
    >>> accuracy.scores()
    {'accuracy': 0.5}
    """

    headline = "accuracy"
    higher_is_better = True

    def __init__(self) -> None:
        super().__init__(states=2)

    def count(
        self, output: Float[Tensor, "batch classes"], truth: Int64[Tensor, " batch"]
    ) -> Float64[Tensor, "batch 2"]:
        """Tell whether each answer is right, and whether it counts."""
        return torch.stack([output.argmax(1) == truth, truth >= 0], dim=1).double()

    def scores(self) -> dict[str, float]:
        """Return `accuracy` in [0, 1]."""
        return {"accuracy": float(self.state[0] / self.state[1])}


def relative_improvement(value: float, *, baseline: float, higher_is_better: bool) -> float:
    """Change against a baseline in percent of the baseline; positive where the value is better.

    Args:
        value: a score.
        baseline: the same score of what it is compared with.
        higher_is_better: whether higher scores are better, as the score's counter says.

    Raises:
        ValueError: if the baseline is zero.

    Reference: Mao et al., ECCV 2020, figure 7.

    >>> relative_improvement(0.375, baseline=0.5, higher_is_better=False)
    25.0
    """
    if baseline == 0:
        raise ValueError("nothing can be said in percent of zero; report the difference from the baseline instead")
    gain = value - baseline if higher_is_better else baseline - value
    return 100 * gain / abs(baseline)
