"""The one loop that all gradient attacks share."""

from collections.abc import Callable

import torch

from manyheads.attacks.attack import Best
from manyheads.attacks.derivative import Watch, differentiate
from manyheads.threats import ROUNDING, Budget
from manyheads.types import Image, PerExample


def ascend(
    loss: Callable[[Image], PerExample],
    start: Image,
    *,
    clean: Image,
    budget: Budget,
    steps: int,
    step_size: float,
    heading: Callable[[Image], Image],
) -> Image:
    """Climb step by step and return each example's image of highest loss.

    Every step goes `step_size` along the budget's steepest direction and back to the nearest allowed image. The start,
    every step and the last step compete (`steps + 1` forward and `steps` backward passes); of equal ones, the first
    is kept.

    Args:
        loss: what is raised.
        start: where to begin, an allowed image.
        clean: the centre of the budget.
        budget: which images are allowed.
        steps: how many steps.
        step_size: length of a step in the budget's norm, in pixel units.
        heading: turns the gradient of each step into the direction to follow.

    Raises:
        ValueError: if the loss or its gradient is not finite at some step.
    """
    image, best, watch, nearest = start, Best.nothing(start), Watch(), budget.around(clean)
    for _ in range(steps):
        value, gradient = differentiate(loss, image)
        watch.see(value, gradient)
        best.offer(image, value)
        direction = heading(gradient)
        free = _free(image, direction, step_size=step_size) if budget.pixels_compete else None
        image = nearest(torch.add(image, budget.steepest(direction, free=free), alpha=step_size))
    with torch.no_grad():
        value = loss(image)
    watch.see(value)
    watch.verdict()
    best.offer(image, value)
    return best.image


def _free(image: Image, direction: Image, *, step_size: float) -> Image:
    """How far each pixel can go that way before it is black or white, as a share of the step."""
    reach = (image + step_size * direction.sign()).clamp(0, 1)
    share = (reach - image).abs() / max(step_size, 1e-30)
    return (share * (1 + ROUNDING)).clamp_max(1)
