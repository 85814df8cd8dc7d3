"""APGD: projected gradient ascent that sets its own step sizes."""

import math
from dataclasses import dataclass

import torch

from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.checkpoint_schedule import checkpoints
from manyheads.attacks.sparse_ascent import climb_sparsely
from manyheads.attacks.trail import Trail
from manyheads.randomness import Streams
from manyheads.threats import Budget, column
from manyheads.types import Image

_MOMENTUM = 0.25
"""What is left of the last step in the next."""

_RISES = 0.75
"""The share of a period's steps that must climb if the steps are to keep their length."""


@dataclass(frozen=True)
class APGD(Attack):
    """Auto-PGD: ascent with momentum whose steps begin at twice eps and are halved, per example, where they fail.

    It begins at a point drawn uniformly from the budget. At each of the `checkpoints` an example whose loss rose in
    less than three quarters of the steps, or whose best has not changed since the last checkpoint and whose step
    neither, goes on from its best point with half the step. In an L1 budget steps are sparse (`climb_sparsely`).

    Returned is, of the iterates that win, the one of highest loss; where none wins, or nobody says who does, the
    iterate of highest loss.

    Args:
        steps: how many steps; each takes one forward and one backward pass, and so does the start.

    Raises:
        ValueError: if there is no step.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), algorithm 1; in L1 Croce & Hein, ICML 2021. Differs from
    them in: the start is uniform in the ball.
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
        return _climb(loss, start, clean=clean, budget=budget, steps=self.steps)


def _climb(loss: Loss, start: Image, *, clean: Image, budget: Budget, steps: int) -> Image:
    trail, nearest, pauses = Trail.empty(loss, clean), budget.around(clean), checkpoints(steps)
    value, gradient = trail.look(start)
    image = previous = start
    size = torch.full_like(value, 2 * budget.eps)
    rises, begun = torch.zeros_like(value), 0
    shortened, height = torch.ones_like(value, dtype=torch.bool), value
    for step in range(1, steps + 1):
        ahead = nearest(torch.addcmul(image, column(size), budget.steepest(gradient)))
        kept = _MOMENTUM if step > 1 else 0.0
        ahead = nearest(image + (1 - kept) * (ahead - image) + kept * (image - previous))
        reached, gradient = trail.look(ahead)
        rises = rises + (reached > value)
        value, image, previous = reached, ahead, image
        if step in pauses:
            peak = trail.highest.loss
            failing = (rises < _RISES * (step - begun)) | (~shortened & (peak <= height))
            size = torch.where(failing, size / 2, size)
            value = torch.where(failing, peak, value)
            image = torch.where(column(failing), trail.highest.image, image)
            gradient = torch.where(column(failing), trail.slope.image, gradient)
            rises, begun = torch.zeros_like(value), step
            shortened, height = failing, peak
    return trail.end()
