"""The loss around images: along the gradient, and along a random direction across it."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import torch
from torch import Tensor

from manyheads.attacks import Loss
from manyheads.defences import beside
from manyheads.randomness import Streams
from manyheads.threats import Budget, ThreatModel, column
from manyheads.types import Batch, Flags, Image, PerExample

POINTS = 11
"""How many places along each direction a surface has."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """The loss at images, and what its gradients there say.

    Args:
        value: the loss.
        steepest: the size-one direction in which the gradient says it rises fastest; zero where there is no gradient.
        largest: largest entry of the gradient, by magnitude.
        across: a random size-one direction.
    """

    value: PerExample
    steepest: Image
    largest: PerExample
    across: Image


def slopes(loss: Loss, image: Image, *, budget: Budget, rng: Streams) -> Slopes:
    """Take the gradient of the loss at images; one that cannot be taken is zero everywhere.

    Args:
        loss: made by `ThreatModel.loss(batch)`.
        image: where.
        budget: in whose norm directions have the size one.
        rng: draws the random direction.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        place = image.detach().clone().requires_grad_()
        value = loss(place)
        gradient = None
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value.sum(), place, allow_unused=True)
    gradient = torch.zeros_like(place) if gradient is None else gradient
    drawn = (2 * rng.fork("across").uniform(*image.shape[1:]) - 1).to(image)
    largest = gradient.flatten(1).abs().amax(1)
    return Slopes(value.detach(), budget.steepest(gradient).detach(), largest, budget.steepest(drawn))


@torch.no_grad()
def loss_surface(threat: ThreatModel, batches: Iterable[Batch], *, examples: int = 8, seed: int = 0) -> pl.DataFrame:
    """Compute the loss on a grid around the first examples, spanned by the gradient and by a random direction.

    The table has the columns `index` (the example's number), `along` and `across` (steps along the two directions, in
    units of eps, from −1 to 1) and `loss` (the threat's objective). Pixels are kept in [0, 1]. A surface that is flat
    along the gradient, or that rises just as fast across it, is one on which no attack can climb.

    Args:
        threat: its objective is computed, on its model.
        batches: dict batches; without an `index` the examples are counted.
        examples: how many examples.
        seed: decides the random direction.

    Raises:
        ValueError: if the budget has no limit, or there is no example.
    """
    if threat.budget.eps == float("inf"):
        raise ValueError("a surface reaches as far as the budget, which has no end here; give a finite eps")
    parts, seen = [], 0
    for given in batches:
        batch = {name: value[: examples - seen] for name, value in beside(threat.model, given).items()}
        if not len(batch["image"]):
            break
        index = batch.get("index", torch.arange(seen, seen + len(batch["image"])))
        seen += len(index)
        parts.append(_grid(threat, batch, index=index, seed=seed))
    if not parts:
        raise ValueError("there is no example to draw a surface around: the batches are empty")
    return pl.concat(parts)


def _grid(threat: ThreatModel, batch: Batch, *, index: Tensor, seed: int) -> pl.DataFrame:
    """Walk over the grid, all examples of a batch at once."""
    loss, clean, eps = threat.loss(batch), batch["image"], float(threat.budget.eps)
    rng = Streams.of_examples(index, seed=seed, stage="surface").to(clean.device)
    found = slopes(loss, clean, budget=threat.budget, rng=rng)
    rows = []
    for along in torch.linspace(-1, 1, POINTS).tolist():
        for across in torch.linspace(-1, 1, POINTS).tolist():
            image = (clean + eps * (along * found.steepest + across * found.across)).clamp(0, 1)
            losses = loss(image).double().tolist()
            rows += [(number, along, across, value) for number, value in zip(index.tolist(), losses, strict=True)]
    return pl.DataFrame(rows, schema=["index", "along", "across", "loss"], orient="row")


@torch.no_grad()
def points_uphill(loss: Loss, image: Image, *, found: Slopes, eps: float) -> tuple[Flags, Flags]:
    """Tell where a step of eps along the gradient raises the loss more than one along the random direction.

    Returns:
        Where it does, and where that can be told: not where the gradient is not zero and yet neither step changes the
        loss by anything that floats can show.
    """
    scale = torch.full_like(found.value, eps)
    ahead, aside = (
        loss((image + column(scale) * direction).clamp(0, 1)) for direction in (found.steepest, found.across)
    )
    flat = (ahead == aside) & (ahead == found.value) & (found.largest > 0)
    return ahead > aside, ~flat
