"""The climb that sets its own step sizes: long steps at first, halved per example where they fail."""

import torch
from torch import Tensor

from manyheads.attacks.ascent import free_share
from manyheads.attacks.checkpoint_schedule import checkpoints
from manyheads.attacks.trail import Trail
from manyheads.threats import Budget, column
from manyheads.types import Image

_RISES = 0.75
"""The share of a period's steps that must climb if the steps are to keep their length."""


def climb_by_halving(
    trail: Trail, start: Image | None, *, clean: Image, budget: Budget, steps: int, first: float, momentum: float
) -> None:
    """Climb along the budget's steepest direction; every point on the way, the start too, joins the trail.

    At each of the `checkpoints` an example whose loss rose in less than three quarters of the steps, or whose best has
    not changed since the last checkpoint and whose step neither, goes on from its best point with half the step.

    Args:
        trail: where the points go.
        start: where to begin, an allowed image; None for the trail's highest, which takes no further pass.
        clean: the centre of the budget.
        budget: which images are allowed.
        steps: how many steps; each takes one forward and one backward pass, and so does a start.
        first: length of the first steps, as a multiple of the budget.
        momentum: what is left of the last step in the next, from 0 to 1.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), algorithm 1.
    """
    nearest, pauses = budget.around(clean), checkpoints(steps)
    if start is None:
        image, value, gradient = trail.highest.image, trail.highest.loss, trail.slope.image
    else:
        image, (value, gradient) = start, trail.look(start)
    previous, size = image, torch.full_like(value, first * budget.eps)
    rises, begun = torch.zeros_like(value), 0
    shortened, height = torch.ones_like(value, dtype=torch.bool), trail.highest.loss
    for step in range(1, steps + 1):
        ahead = nearest(_ahead(image, gradient, budget=budget, size=column(size)))
        if momentum:
            kept = momentum if step > 1 else 0.0
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


def _ahead(image: Image, gradient: Image, *, budget: Budget, size: Tensor) -> Image:
    free = free_share(image, gradient, step_size=size) if budget.pixels_compete else None
    return torch.addcmul(image, size, budget.steepest(gradient, free=free))
