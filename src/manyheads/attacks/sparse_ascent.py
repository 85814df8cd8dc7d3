"""The climb in L1: steps that change few pixels, as many as the best point so far suggests."""

import math
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from manyheads.attacks.attack import Loss
from manyheads.attacks.trail import Trail
from manyheads.randomness import Streams
from manyheads.threats import ROUNDING, Budget, column
from manyheads.types import Image

_STAGES = ((3, 0.3), (2, 0.3), (1, 0.4))
"""How many times the budget each stage allows, and its share of the steps."""

_PERIOD = 0.04
"""The share of a stage's steps between two looks at the sparsity."""

_FIRST_SHARE = 0.2
"""The share of pixels that the first steps change."""

_SPARSER, _SETTLED, _SHORTENING, _SHORTEST = 1.5, 0.95, 1.5, 10


def climb_sparsely(loss: Loss, clean: Image, *, budget: Budget, rng: Streams, steps: int) -> Image:
    """Climb in a ball of three times the budget, then of twice, then of the budget itself; return the last one's best.

    Each stage begins at the best point of the one before, projected; the first at a point drawn uniformly. Best is the
    winner of highest loss; where none wins, the image of highest loss.

    Args:
        loss: what is raised.
        clean: the centre of the budget.
        budget: which images are allowed, in L1.
        rng: one stream per example.
        steps: how many steps in all; the last stage takes at least one.

    Raises:
        ValueError: if the loss or its gradient is not finite at some step.

    Reference: Croce & Hein, ICML 2021, sections 3 and 4 (ℓ1-APGD with several radii). Differs from it in: pixels that
    are black or white are not counted, neither among those that a step changes nor in the sparsity of the best point;
    otherwise steps spent on them alone would lead nowhere.
    """
    lengths = [math.floor(share * steps) for _, share in _STAGES[:-1]]
    lengths.append(steps - sum(lengths))
    point, trail = None, Trail.empty(loss, clean)
    for (times, _), length in zip(_STAGES, lengths, strict=True):
        if length:
            ball = replace(budget, eps=times * budget.eps)
            point = clean + ball.noise(clean, rng) if point is None else point
            trail = _stage(loss, ball.project(point, clean), clean=clean, budget=ball, steps=length)
            point = trail.highest.image
    return trail.end()


def _stage(loss: Loss, start: Image, *, clean: Image, budget: Budget, steps: int) -> Trail:
    trail, nearest, pixels = Trail.empty(loss, clean), budget.around(clean), clean[0].numel()
    image, (value, gradient) = start, trail.look(start)
    changed = torch.full_like(value, _FIRST_SHARE * pixels * _SPARSER)
    size, period = torch.full_like(value, budget.eps), max(math.ceil(_PERIOD * steps), 1)
    for step in range(steps):
        if step and step % period == 0:
            now = _loose(trail.highest.image, clean).to(value)
            settled = now >= _SETTLED * changed
            size = torch.where(settled, (size / _SHORTENING).clamp_min(budget.eps / _SHORTEST), budget.eps)
            image = torch.where(column(settled), image, trail.highest.image)
            gradient = torch.where(column(settled), gradient, trail.slope.image)
            changed = now
        count = (changed / _SPARSER).long().clamp(1, pixels)
        image = nearest(torch.addcmul(image, column(size), _sparse(gradient, image, count=count)))
        _, gradient = trail.look(image)
    return trail


def _loose(image: Image, clean: Image) -> Int64[Tensor, " batch"]:
    """Count the changed pixels that are neither black nor white."""
    changed = (image - clean).abs() > ROUNDING
    return (changed & (image > ROUNDING) & (image < 1 - ROUNDING)).flatten(1).sum(1)


def _sparse(gradient: Image, image: Image, *, count: Int64[Tensor, " batch"]) -> Image:
    """Move the pixels of largest gradient, so many of each example, by equal shares of one.

    Pixels that cannot move are not counted, but pushed with the others: that costs nothing and keeps the projection
    from pulling them back.
    """
    flat = gradient.flatten(1)
    order = flat.abs().argsort(dim=1, descending=True, stable=True)
    room = torch.where(flat > 0, 1 - image.flatten(1), image.flatten(1))
    free = (room > ROUNDING).gather(1, order).long()
    chosen = (free.cumsum(1) - free) < count[:, None]
    pushed = torch.zeros_like(chosen).scatter_(1, order, chosen)
    return (pushed * flat.sign() / count[:, None]).view_as(gradient)
