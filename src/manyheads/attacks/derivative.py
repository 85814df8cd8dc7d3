"""Input gradients: one loss per example, its gradient with respect to each image, and a watch over both."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from manyheads.deferral import examine
from manyheads.types import Image, PerExample


def differentiate(function: Callable[[Image], PerExample], image: Image) -> tuple[PerExample, Image]:
    """Return the value of a function per example and its gradient with respect to each image.

    Parameters get no gradients: theirs are not computed.

    Raises:
        ValueError: if the function's value does not depend on the image through differentiable operations.
    """
    ((value, gradient),) = gradients(lambda image: (function(image),), image)
    return value, gradient


def gradients(functions: Callable[[Image], Sequence[PerExample]], image: Image) -> Iterator[tuple[PerExample, Image]]:
    """Yield the value and the gradient of each of several functions of the same images; one forward pass for all.

    Raises:
        ValueError: if a value does not depend on the image through differentiable operations.
    """
    image = image.detach().requires_grad_()
    values = functions(image)
    for number, value in enumerate(values, start=1):
        gradient = None
        if value.requires_grad:
            more = number < len(values)
            ones = torch.ones_like(value)
            (gradient,) = torch.autograd.grad(value, image, ones, allow_unused=True, retain_graph=more)
        if gradient is None:
            raise ValueError(
                "the loss has no gradient with respect to the image; look for detach(), no_grad(), argmax or rounding "
                "in the model or the objective"
            )
        yield value.detach(), gradient


@dataclass(eq=False)
class Watch:
    """Notices values that are not finite, and speaks up at the end: no step waits for an answer from the device."""

    total: Tensor | float = 0.0
    """Everything seen, added up: one value that is not finite is enough to make it so."""

    def see(self, *values: Tensor) -> None:
        """Remember whether any of these is NaN or infinite."""
        for value in values:
            self.total = self.total + value.sum()

    def heed(self, other: "Watch") -> None:
        """Remember what another one has seen, too."""
        self.total = self.total + other.total

    def verdict(self) -> None:
        """Refuse to go on if anything seen was not finite.

        Raises:
            ValueError: saying so.
        """
        if isinstance(self.total, Tensor):
            examine(self.total[None], _refuse_trouble)


def _refuse_trouble(seen: list[float]) -> None:
    if not all(map(math.isfinite, seen)):
        raise ValueError(
            "the loss or its gradient was NaN or infinite during the attack, so its result would mean nothing; "
            "look for overflow, log(0) or 0/0 in the model or the objective"
        )
