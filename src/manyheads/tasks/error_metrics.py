"""Quality of any other dense prediction."""

from typing import final

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from manyheads.tasks.losses import known_difference
from manyheads.tasks.metrics import Counter


@final
class AbsoluteError(Counter):
    """Mean absolute error over all known pixels and channels of a data set, in the truth's unit.

    State: the sum of |error|, and how many numbers it is of.

    >>> absolute_error = AbsoluteError()
    >>> absolute_error.update(torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.5, float("nan")]]]]))
    >>> absolute_error.scores()
    {'l1': 0.5}
    """

    headline = "l1"
    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(states=2)

    def count(
        self,
        output: Float[Tensor, "batch channel height width"],
        truth: Float[Tensor, "batch channel height width"],
    ) -> Float64[Tensor, "batch 2"]:
        """Return the sum of each example, and how many numbers it is of."""
        difference, mask = known_difference(output.double(), truth=truth.double())
        return torch.stack([difference.abs().flatten(1).sum(1), mask.flatten(1).sum(1) * output.shape[1]], dim=1)

    def scores(self) -> dict[str, float]:
        """Return `l1`, in the truth's unit."""
        return {"l1": float(self.state[0] / self.state[1])}
