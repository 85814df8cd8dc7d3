"""Input gradients: one loss per example, its gradient with respect to each image, and a watch over both."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from manyheads.types import Image, PerExample


def differentiate(function: Callable[[Image], PerExample], image: Image) -> tuple[PerExample, Image]:
    """Return the value of a function per example and its gradient with respect to each image.

    Parameters get no gradients: theirs are not computed.

    Raises:
        ValueError: if the function's value does not depend on the image through differentiable operations.
    """
    image = image.detach().requires_grad_()
    value = function(image)
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value.sum(), image, allow_unused=True)
        if gradient is not None:
            return value.detach(), gradient
    raise ValueError(
        "the loss has no gradient with respect to the image; look for detach(), no_grad(), argmax or rounding in the "
        "model or the objective"
    )


@dataclass(eq=False)
class Watch:
    """Notices values that are not finite, and speaks up at the end: no step waits for an answer from the device."""

    trouble: Tensor | float = 0.0

    def see(self, *values: Tensor) -> None:
        """Remember whether any of these is NaN or infinite."""
        for value in values:
            self.trouble = self.trouble + value.sum() * 0

    def verdict(self) -> None:
        """Refuse to go on if anything seen was not finite.

        Raises:
            ValueError: saying so.
        """
        if self.trouble != 0:  # NaN is not zero
            raise ValueError(
                "the loss or its gradient was NaN or infinite during the attack, so its result would mean nothing; "
                "look for overflow, log(0) or 0/0 in the model or the objective"
            )
