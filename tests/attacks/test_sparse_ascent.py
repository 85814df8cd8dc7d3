"""The climb in L1: few pixels at a time, none of them wasted on pixels that cannot move."""

import torch

from manyheads.attacks.sparse_ascent import climb_sparsely
from manyheads.randomness import Streams
from manyheads.threats import L1


def test_the_one_pixel_that_is_worth_it_takes_all(linear, margin) -> None:
    victim = linear(low=0.4, high=0.6)
    streams = Streams(torch.arange(len(victim.clean), device=victim.clean.device))
    attacked = climb_sparsely(victim.loss(margin), victim.clean, budget=L1(0.3), rng=streams, steps=30)
    changed = (attacked - victim.clean).abs().flatten(1)
    steepest = int(victim.model.weight.abs().argmax())
    torch.testing.assert_close(changed[:, steepest], changed.sum(1), atol=1e-3, rtol=0)
    torch.testing.assert_close(changed.sum(1), torch.full_like(changed[:, 0], 0.3), atol=1e-3, rtol=0)


def test_pixels_at_their_bound_are_stepped_over(linear, margin) -> None:
    victim = linear(low=0.4, high=0.6)
    loss, weight = victim.loss(margin), victim.model.weight.detach()
    order = weight.abs().flatten().argsort(descending=True)
    clean = victim.clean.flatten(1).clone()
    with torch.no_grad():
        uphill = weight.flatten().sign() * (1 - 2 * victim.batch["label"])[:, None]
    clean[:, order[:3]] = (uphill[:, order[:3]] > 0).float()
    streams = Streams(torch.arange(len(clean), device=clean.device))
    clean = clean.view_as(victim.clean)
    attacked = climb_sparsely(loss, clean, budget=L1(0.3), rng=streams, steps=30)
    changed = (attacked - clean).abs().flatten(1)
    torch.testing.assert_close(changed[:, order[3]], torch.full_like(changed[:, 0], 0.3), atol=1e-3, rtol=0)


def test_one_step_is_enough_to_stay_inside(victim) -> None:
    streams = Streams(torch.arange(5, device=victim.clean.device))
    attacked = climb_sparsely(victim.loss(), victim.clean, budget=L1(1.0), rng=streams, steps=1)
    assert bool(L1(1.0).contains(attacked, victim.clean).all())
