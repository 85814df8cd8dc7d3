"""Noise: what an attacker reaches who knows nothing and tries once."""

import math
from dataclasses import dataclass

from manyheads.attacks.attack import Attack, Loss
from manyheads.randomness import Streams
from manyheads.threats import Budget
from manyheads.types import Image


@dataclass(frozen=True)
class Noise(Attack):
    """One perturbation drawn uniformly from the budget, whatever it does to the loss; the model is never asked.

    Every attack that looks at the model has to do more harm than this. `Restarts(Noise(), times=100)` is a random
    search: it asks the model who has won.

    >>> Noise()
    Noise()
    """

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (it is blind)
        """Draw.

        Raises:
            ValueError: if the budget has no limit.
        """
        if budget.eps == math.inf:
            raise ValueError("noise is drawn from the whole budget, which has no end here; give a finite eps")
        return budget.project(clean + budget.noise(clean, rng), clean)
