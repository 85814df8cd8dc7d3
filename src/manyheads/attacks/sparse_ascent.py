"""The climb in L1: steps that many pixels share; where passes are plenty, whole steps beside them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from manyheads.attacks.attack import Loss
from manyheads.attacks.halving import climb_by_halving
from manyheads.attacks.trail import Trail
from manyheads.randomness import Streams
from manyheads.threats import ROUNDING, Budget, column
from manyheads.types import Image

_PLENTY = 60
"""Passes are plenty where so many times their number is at least the number of pixels times the budget."""

_SHARING, _POLISHING = 0.45, 0.25
"""Then the shares of the passes for steps that pixels share, and for polishing what these found."""

_FIRST, _FIRST_POLISHING = 0.5, 0.25
"""Of the climbs with whole steps: how long the first are, as multiples of the budget."""

_STAGES = ((3, 0.3), (2, 0.3), (1, 0.4))
"""How many times the budget each stage allows, and its share of the passes."""

_LAST_STAGE, _ENOUGH_FOR_STAGES = ((1, 1.0),), 25
"""The budget itself alone; how many passes it takes for more, where part of them is all there is."""

_PERIOD = 0.04
"""The share of a stage's steps between two looks at the sparsity."""

_FIRST_SHARE = 0.2
"""The share of pixels that the first steps change."""

_SPARSER, _SETTLED, _SHORTENING, _SHORTEST = 1.5, 0.95, 1.5, 10


def climb_sparsely(loss: Loss, clean: Image, *, budget: Budget, rng: Streams, steps: int) -> Image:
    """Climb by steps that many pixels share, as many as the best point so far suggests; in easy cases twice.

    The climb is in a ball of three times the budget, then of twice, then of the budget itself; it begins at a point
    drawn uniformly, each further stage at the best point of the one before, projected. Best is the winner of highest
    loss; where none wins, the image of highest loss.

    Where pixels times budget is at most sixty times the passes, another climb takes about a third of them, with whole
    steps: the pixels of largest gradient go as far as they can, one after the other, and steps are halved where they
    fail (`climb_by_halving`). What the shared steps find with the rest, in the budget itself alone if that is little,
    is polished with whole steps, and the best of both is returned.

    Args:
        loss: what is raised.
        clean: the centre of the budget.
        budget: which images are allowed, in L1.
        rng: one stream per example.
        steps: how many steps; there is one pass more in all, and the start of each stage takes one of them.

    Raises:
        ValueError: if the loss or its gradient is not finite at some step.

    Reference: Croce & Hein, ICML 2021, sections 3 and 4 (ℓ1-APGD with several radii). Differs from it in: whole steps
    where passes are plenty, without which it then often ends lower than PGD; and pixels that are black or white are
    not counted, neither among those that a step changes nor in the sparsity of the best point; otherwise steps spent on
    them alone would lead nowhere.
    """
    passes = steps + 1
    if clean[0].numel() * budget.eps > _PLENTY * passes:
        return _share(loss, clean, budget=budget, rng=rng, passes=passes, stages=_STAGES).end()
    sharing, polishing = math.floor(_SHARING * passes), math.floor(_POLISHING * passes)
    trail, start = Trail.empty(loss, clean), budget.project(clean + budget.noise(clean, rng), clean)
    alone = passes - sharing - polishing
    climb_by_halving(trail, start, clean=clean, budget=budget, steps=alone - 1, first=_FIRST, momentum=0.0)
    if sharing:
        stages = _STAGES if sharing >= _ENOUGH_FOR_STAGES else _LAST_STAGE
        other = _share(loss, clean, budget=budget, rng=rng.fork("shared"), passes=sharing, stages=stages)
        climb_by_halving(other, None, clean=clean, budget=budget, steps=polishing, first=_FIRST_POLISHING, momentum=0.0)
        trail.join(other)
    return trail.end()


def _share(
    loss: Loss, clean: Image, *, budget: Budget, rng: Streams, passes: int, stages: Sequence[tuple[int, float]]
) -> Trail:
    """Go through the stages and return the last one's trail."""
    lengths = [math.floor(share * passes) for _, share in stages[:-1]]
    lengths.append(passes - sum(lengths))
    point, trail = None, Trail.empty(loss, clean)
    for (times, _), length in zip(stages, lengths, strict=True):
        if length:
            ball = replace(budget, eps=times * budget.eps)
            point = clean + ball.noise(clean, rng) if point is None else point
            seen, trail = trail.watch, Trail.empty(loss, clean)
            _stage(trail, ball.project(point, clean), clean=clean, budget=ball, steps=length - 1)
            trail.watch.heed(seen)
            point = trail.highest.image
    return trail


def _stage(trail: Trail, start: Image, *, clean: Image, budget: Budget, steps: int) -> None:
    nearest, pixels = budget.around(clean), clean[0].numel()
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
