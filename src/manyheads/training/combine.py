"""How the losses of several tasks become one backward pass."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from lightning_fabric import Fabric
from torch import Tensor


class Combine(ABC):
    """A rule that sends the gradients of all tasks' losses into the parameters."""

    @abstractmethod
    def backward(self, losses: Mapping[str, Tensor], fabric: Fabric) -> None:
        """Add this batch's gradient to every parameter's `.grad`."""


@dataclass(frozen=True)
class Equal(Combine):
    """Plain sum of all losses.

    Reference: Hyun & Park, IEEE Access 2024, eq. 3.
    """

    def backward(self, losses: Mapping[str, Tensor], fabric: Fabric) -> None:
        """Run one backward pass of the sum."""
        terms = list(losses.values())
        fabric.backward(sum(terms[1:], start=terms[0]))


@dataclass(frozen=True)
class Fixed(Combine):
    """Weighted sum of the losses.

    Args:
        weights: one weight per task, by name.
    """

    weights: Mapping[str, float]

    def backward(self, losses: Mapping[str, Tensor], fabric: Fabric) -> None:
        """Run one backward pass of the weighted sum.

        Raises:
            ValueError: if the weights and the losses do not speak of the same tasks.
        """
        if set(self.weights) != set(losses):
            raise ValueError(
                f"weights are for {sorted(self.weights)} but the losses are {sorted(losses)}; give one each"
            )
        terms = [self.weights[name] * loss for name, loss in losses.items()]
        fabric.backward(sum(terms[1:], start=terms[0]))
