"""Noise: the attack of somebody who knows nothing."""

from dataclasses import dataclass

from manyheads.attacks.attack import Attack, Loss
from manyheads.randomness import Streams
from manyheads.threats import Budget
from manyheads.types import Image


@dataclass(frozen=True)
class Noise(Attack):
    """A random change of the budget's full size: in an L∞ budget every pixel goes up or down by eps, by a coin.

    It asks the model nothing. What an attack achieves beyond it is what its search is worth.
    """

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (nothing is asked)
        """Draw the change, and stay inside [0, 1].

        Raises:
            ValueError: if the budget has no limit.
        """
        if budget.eps == float("inf"):
            raise ValueError("noise is as large as the budget allows, which has no end here; give a finite eps")
        direction = budget.steepest(rng.fork("noise").normal(*clean.shape[1:]).to(clean))
        return budget.project(clean + budget.eps * direction, clean)
