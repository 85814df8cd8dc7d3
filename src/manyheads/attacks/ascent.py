"""The one loop that all gradient attacks share."""

from collections.abc import Callable

import torch
from torch import Tensor

from manyheads.attacks.attack import Best
from manyheads.attacks.derivative import Watch, differentiate
from manyheads.threats import ROUNDING, Budget
from manyheads.types import Image, PerExample

_NO_STEP = 1e-30
"""What a step of length zero is divided by."""


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
    pace = _Pace(loss, clean, budget=budget, step_size=step_size, heading=heading)
    image, best = start, Best.nothing(start)
    for _ in range(steps):
        value, following = pace.step(image)
        best.offer(image, value)
        image = following
    with torch.no_grad():
        value = loss(image)
    pace.watch.see(value)
    pace.watch.verdict()
    best.offer(image, value)
    return best.image


def climb(
    loss: Callable[[Image], PerExample],
    start: Image,
    *,
    clean: Image,
    budget: Budget,
    steps: int,
    step_size: float,
) -> Image:
    """Climb as `ascend` does, along the gradient itself, and return where the last step ends, better or not.

    That saves the forward pass that would judge the last step.

    Args:
        loss: what is raised.
        start: where to begin, an allowed image.
        clean: the centre of the budget.
        budget: which images are allowed.
        steps: how many steps.
        step_size: length of a step in the budget's norm, in pixel units.

    Raises:
        ValueError: if the loss or its gradient is not finite at some step.
    """
    pace, image = _Pace(loss, clean, budget=budget, step_size=step_size, heading=lambda gradient: gradient), start
    for _ in range(steps):
        _, image = pace.step(image)
    pace.watch.verdict()
    return image


class _Pace:
    """One step at a time: along the budget's steepest direction and back to the nearest allowed image."""

    def __init__(
        self,
        loss: Callable[[Image], PerExample],
        clean: Image,
        *,
        budget: Budget,
        step_size: float,
        heading: Callable[[Image], Image],
    ) -> None:
        self.loss, self.budget, self.step_size, self.heading = loss, budget, step_size, heading
        self.nearest, self.watch = budget.around(clean), Watch()

    def step(self, image: Image) -> tuple[PerExample, Image]:
        """Return the loss here, and the image after the step."""
        value, gradient = differentiate(self.loss, image)
        self.watch.see(value, gradient)
        direction = self.heading(gradient)
        free = free_share(image, direction, step_size=self.step_size) if self.budget.pixels_compete else None
        return value, self.nearest(torch.add(image, self.budget.steepest(direction, free=free), alpha=self.step_size))


def free_share(image: Image, direction: Image, *, step_size: float | Tensor) -> Image:
    """Return how far each pixel can go that way before it is black or white, as a share of the step.

    Args:
        image: where the step begins.
        direction: which way each pixel goes; only its sign counts.
        step_size: the step's length in pixel units, one for all or a column of one per example.
    """
    reach = (image + step_size * direction.sign()).clamp(0, 1)
    share = (reach - image).abs() / (step_size + _NO_STEP)
    return (share * (1 + ROUNDING)).clamp_max(1)
