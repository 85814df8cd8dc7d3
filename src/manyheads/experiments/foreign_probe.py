"""A first look at somebody's own model, before hours are spent: does it fit the data, can it be attacked at all."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from manyheads.data import Source
from manyheads.defences import beside
from manyheads.tasks import Task
from manyheads.threats import in_eval_mode
from manyheads.types import Batch

_NEARLY = 1e-3


@dataclass(frozen=True)
class Probe:
    """What the first images told.

    Args:
        n: how many images that were.
        probabilities: whether the main answers look like probabilities instead of scores: none is negative and they add
            up to one.
        silent: how many of the images have a loss without a gradient, so that no attack that climbs gets anywhere from
            there; None where no gradient was asked for.
        answers: whether the same images gave the same answers twice.
    """

    n: int
    probabilities: bool
    silent: int | None
    answers: bool


def probe(
    model: nn.Module,
    batch: Batch,
    *,
    tasks: Sequence[Task],
    source: Source,
    name: str,
    gradient: AbstractContextManager[object] | None = None,
) -> Probe:
    """Run a model on some images, and take the gradient of its main loss.

    Args:
        model: an adapted model.
        batch: the images with their annotations.
        tasks: what it answers, main task first.
        source: where the images come from.
        name: what an error calls the data.
        gradient: context in which the gradient is taken; None to take none.

    Raises:
        ValueError: if the model does not fit the images or the classes, an answer is not finite, or a gradient is
            wanted and its answers carry none.
    """
    batch = beside(model, batch)
    main = tasks[0]
    with in_eval_mode(model), torch.enable_grad():
        image = batch["image"].clone().requires_grad_(gradient is not None)
        outputs = _asked(model, image, source=source, name=name)
        again = _asked(model, image, source=source, name=name)[main.name]
        scores = outputs[main.name]
        if not bool(scores.isfinite().all()):
            raise ValueError(f"the answers to {main.name!r} hold NaN or infinity on clean images of {name}")
        silent = None
        if gradient is not None:
            silent = _silent(scores, image, batch=batch, main=main, context=gradient)
    return Probe(len(image), _like_probabilities(scores.detach()), silent, bool(torch.equal(scores, again)))


def _asked(model: nn.Module, image: Tensor, *, source: Source, name: str) -> dict[str, Tensor]:
    try:
        return model(image)
    except ValueError as error:
        shape = " × ".join(map(str, source.image_shape))
        raise ValueError(
            f"the model does not go with the images of {name} ({shape} pixels in [0, 1], {len(source.class_names)} "
            f"classes): {error}"
        ) from error


def _silent(scores: Tensor, image: Tensor, *, batch: Batch, main: Task, context: AbstractContextManager[object]) -> int:
    if not scores.requires_grad:
        raise ValueError(
            f"the answers to {main.name!r} carry no gradient: the model detaches them, works under no_grad, or leaves "
            "torch; only the attacks noise and square go without"
        )
    with context:
        (gradient,) = torch.autograd.grad(main.loss(scores, main.target(batch)).sum(), image, allow_unused=True)
    if gradient is None:
        raise ValueError(f"the answers to {main.name!r} do not depend on the image, as far as gradients tell")
    return int((gradient.flatten(1).abs().amax(1) == 0).sum())


def _like_probabilities(scores: Tensor) -> bool:
    return bool((scores >= 0).all()) and bool(((scores.sum(1) - 1).abs() < _NEARLY).all())
