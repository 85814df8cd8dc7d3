"""Task weights that follow how fast each loss has fallen lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Protocol, runtime_checkable

from lightning_fabric import Fabric
from torch import Tensor

from manyheads.training.combine import Combine, Equal, Fixed
from manyheads.training.progress import Measurement


@runtime_checkable
class Informed(Protocol):
    """A combination of losses that changes with the history of training; `fit` asks it before each epoch."""

    def given(self, history: Sequence[Measurement]) -> Combine:
        """Return the combination of the next epoch."""
        ...


@dataclass(frozen=True)
class DynamicAverage(Combine):
    """Dynamic weight average: tasks whose loss fell least from the last epoch but one to the last count most.

    `weight_k = K · softmax(r / temperature)_k` with r_k the quotient of task k's mean losses in those two epochs and K
    the number of tasks; all weights are 1 in the first two epochs. It is computed from the history, so that a resumed
    run goes on exactly.

    Args:
        temperature: the higher, the more alike the weights.

    Raises:
        ValueError: if the temperature is not above zero.

    Reference: Liu, Johns & Davison, CVPR 2019, eq. 7. Differs from it in: nothing.
    """

    temperature: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a temperature that turns the weights around."""
        if not self.temperature > 0:
            raise ValueError(f"the temperature is above zero, got {self.temperature}; 2 is usual")

    def backward(self, losses: Mapping[str, Tensor], fabric: Fabric) -> None:
        """Run one backward pass of the sum: without a history all weights are 1."""
        Equal().backward(losses, fabric)

    def given(self, history: Sequence[Measurement]) -> Combine:
        """Return the weights of the next epoch.

        Raises:
            ValueError: if a task's mean loss was not above zero, so that no quotient tells how fast it fell.
        """
        last = max((line.epoch for line in history), default=0)
        if last < 1:
            return Equal()
        before, after = (_losses(history, epoch=epoch) for epoch in (last - 1, last))
        broken = [name for losses in (before, after) for name, loss in losses.items() if not loss > 0]
        if broken:
            raise ValueError(
                f"dynamic weight average needs losses above zero, and that of {broken[0]} was not; "
                "take Aggregated(...) for losses that may be negative, such as minus a logarithm"
            )
        strengths = {name: exp(after[name] / before[name] / self.temperature) for name in after}
        total = sum(strengths.values())
        return Fixed({name: len(after) * strength / total for name, strength in strengths.items()})


def _losses(history: Sequence[Measurement], *, epoch: int) -> dict[str, float]:
    return {line.measure: line.value for line in history if line.epoch == epoch and line.phase == "train"}
