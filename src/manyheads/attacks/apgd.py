"""APGD: projected gradient ascent that sets its own step sizes."""

import math
from dataclasses import dataclass

from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.halving import climb_by_halving
from manyheads.attacks.sparse_ascent import climb_sparsely
from manyheads.attacks.trail import Trail
from manyheads.randomness import Streams
from manyheads.threats import Budget
from manyheads.types import Image

_MOMENTUM = 0.25
"""What is left of the last step in the next."""

_FIRST = 2.0
"""Length of the first steps, as a multiple of the budget."""


@dataclass(frozen=True)
class APGD(Attack):
    """Auto-PGD: ascent with momentum whose steps begin at twice eps and are halved, per example, where they fail.

    It begins at a point drawn uniformly from the budget. At each of the `checkpoints` an example whose loss rose in
    less than three quarters of the steps, or whose best has not changed since the last checkpoint and whose step
    neither, goes on from its best point with half the step. In an L1 budget steps are sparse and, where passes are
    plenty, there are two climbs (`climb_sparsely`).

    Returned is, of the iterates that win, the one of highest loss; where none wins, or nobody says who does, the
    iterate of highest loss.

    Args:
        steps: how many steps; each takes one forward and one backward pass, and so does the start.

    Raises:
        ValueError: if there is no step.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), algorithm 1; in L1 Croce & Hein, ICML 2021. Differs from
    them in: the start is uniform in the ball; in L1 see `climb_sparsely`.
    """

    steps: int = 100

    def __post_init__(self) -> None:
        """Refuse to take no step."""
        if self.steps < 1:
            raise ValueError(f"an attack takes at least one step, got steps={self.steps}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Climb.

        Raises:
            ValueError: if the budget has no limit.
        """
        if budget.eps == math.inf:
            raise ValueError("APGD's first step is twice the budget, which has no end here; give a finite eps")
        if budget.pixels_compete:
            return climb_sparsely(loss, clean, budget=budget, rng=rng, steps=self.steps)
        start = budget.project(clean + budget.noise(clean, rng), clean)
        trail = Trail.empty(loss, clean)
        climb_by_halving(trail, start, clean=clean, budget=budget, steps=self.steps, first=_FIRST, momentum=_MOMENTUM)
        return trail.end()
