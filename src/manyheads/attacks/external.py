"""Somebody else's attack, so that it is judged like ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.raising import opened
from manyheads.randomness import Streams
from manyheads.tasks import Task, named
from manyheads.threats import Budget
from manyheads.types import Image

Search = Callable[[Tensor, Tensor], Tensor]
"""Takes images in [0, 1] and their classes; returns the attacked images."""


@dataclass(frozen=True)
class External(Attack):
    """An attack of another library: any function from images and their classes to attacked images.

    The function holds its own model, `HeadView(model, task)` as a rule, and its own eps; what it returns is taken as it
    is. Nothing is projected here: `evaluate` refuses images outside the threat model's budget, so that an attack which
    cheats, or was given another eps, is found out instead of being mended.

    The function's random numbers are drawn from torch's and NumPy's global generators, which are seeded by the examples
    for as long as it runs and then set back: the same batch always gives the same images. Unlike with this package's
    own attacks, an example's random numbers depend on the batch it stands in. The model's modes and its parameters'
    gradients are left as they were.

    Args:
        function: the attack.
        task: the classification task whose true classes it is told, or the task's name.

    >>> def brighter(image, label):
    ...     return (image + 0.1).clamp(0, 1)
    >>> External(brighter, task="digit").task
    'digit'
    """

    function: Search
    task: Task | str

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (it has its own)
        """Run the function.

        Raises:
            TypeError: if the loss is not `manyheads.threats.Loss`, or no tensor comes back.
            ValueError: if the truth does not speak of the task, or images of another shape or type come back.
        """
        known = opened(loss)
        name = named(self.task)
        if name not in known.truth:
            raise ValueError(
                f"the attack wants the true classes of {name!r}, the threat model knows: {', '.join(known.truth)}"
            )
        with _seeded(int(rng.seeds.sum())), _gradients_kept(known.model):
            found = self.function(clean, known.truth[name].clone())
        if not isinstance(found, Tensor):
            raise TypeError(
                f"the attack has to return a tensor of images, got {type(found).__name__}; torch.from_numpy makes one "
                "of an array"
            )
        if found.shape != clean.shape or found.dtype != clean.dtype:
            raise ValueError(
                f"the attack has to return images like those it got, {tuple(clean.shape)} {clean.dtype}; got "
                f"{tuple(found.shape)} {found.dtype}"
            )
        return found.to(clean.device)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators that other libraries draw from, and set them back afterwards."""
    before = np.random.get_state()  # noqa: NPY002 (the others draw from it)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 (the others draw from it)
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002 (the others draw from it)


@contextmanager
def _gradients_kept(model: nn.Module) -> Iterator[None]:
    """Put the parameters' gradients back: other libraries call `backward`."""
    kept = [(parameter, parameter.grad) for parameter in model.parameters()]
    for parameter, _ in kept:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in kept:
            parameter.grad = gradient
