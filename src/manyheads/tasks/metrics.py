"""Counters: qualities of a task as sums, so that batches and ranks add up."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int64
from torch import Tensor


class Counter(ABC):
    """Running sums over examples, from which a task's scores follow.

    The sums are one tensor, `state`: adding the states of two batches, or of two processes, gives the state of both.
    """

    state: Tensor

    @abstractmethod
    def update(self, output: Tensor, truth: Tensor) -> None:
        """Count a batch."""

    @abstractmethod
    def scores(self) -> dict[str, float]:
        """Compute the scores of everything counted so far; NaN where nothing was."""


class Accuracy(Counter):
    """Share of examples whose highest score is the true class.

    >>> accuracy = Accuracy()
    >>> accuracy.update(torch.eye(3)[:2], torch.tensor([0, 2]))
    >>> accuracy.scores()
    {'accuracy': 0.5}
    """

    def __init__(self) -> None:
        """Start at zero examples."""
        self.state = torch.zeros(2, dtype=torch.float64)

    def update(self, output: Float[Tensor, "batch classes"], truth: Int64[Tensor, " batch"]) -> None:
        """Count right answers and examples."""
        right = (output.argmax(1) == truth).sum()
        self.state += torch.stack([right, torch.full_like(right, len(truth))]).to(self.state)

    def scores(self) -> dict[str, float]:
        """Return `accuracy` in [0, 1]."""
        return {"accuracy": float(self.state[0] / self.state[1])}
