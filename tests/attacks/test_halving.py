"""The climb that halves its steps: where it begins, what it finds, that pixels at their bound cost nothing."""

import pytest
import torch

from manyheads.attacks.halving import climb_by_halving
from manyheads.attacks.trail import Trail
from manyheads.threats import L1, L2, Budget, Linf


@pytest.mark.parametrize("budget", [Linf(0.05), L2(0.3), L1(1.5)])
def test_it_goes_on_from_the_highest_point_without_another_pass(victim, budget: Budget) -> None:
    seen, trail = [], Trail.empty(victim.loss(), victim.clean)
    trail.look(victim.clean)
    before = trail.highest.loss
    victim.model.register_forward_hook(lambda *_: seen.append(1))
    climb_by_halving(trail, None, clean=victim.clean, budget=budget, steps=6, first=1.0, momentum=0.0)
    assert len(seen) == 6
    assert bool((trail.highest.loss > before).all())
    assert bool(budget.contains(trail.highest.image, victim.clean).all())


def test_without_steps_the_start_alone_is_looked_at(victim) -> None:
    trail = Trail.empty(victim.loss(), victim.clean)
    climb_by_halving(trail, victim.clean, clean=victim.clean, budget=L1(1.0), steps=0, first=1.0, momentum=0.0)
    assert torch.equal(trail.end(), victim.clean)


def test_one_whole_step_in_l1_is_the_worst_case_of_a_linear_model(linear, margin) -> None:
    victim = linear(low=0.0, high=1.0)
    loss, weight = victim.loss(margin), victim.model.weight.detach().flatten()
    trail = Trail.empty(loss, victim.clean)
    climb_by_halving(trail, victim.clean, clean=victim.clean, budget=L1(3.0), steps=1, first=1.0, momentum=0.0)
    with torch.no_grad():
        uphill = weight.sign() * (1 - 2 * victim.batch["label"])[:, None]
        room = torch.where(uphill > 0, 1 - victim.clean.flatten(1), victim.clean.flatten(1))
        order = weight.abs().argsort(descending=True)
        before = room[:, order].cumsum(1) - room[:, order]
        spent = room[:, order].minimum((3.0 - before).clamp_min(0))
        gained = loss.margin(trail.highest.image) - loss.margin(victim.clean)
    torch.testing.assert_close(gained, (spent * weight.abs()[order]).sum(1), atol=1e-4, rtol=0)
