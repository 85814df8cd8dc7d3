"""The fast path inside other attacks, and around them."""

import pytest
import torch

from manyheads.attacks import (
    BIM,
    CW,
    PGD,
    Attack,
    EachTarget,
    Ensemble,
    Fast,
    PenaltySearch,
    RaisingSuccess,
    Restarts,
    WorstOf,
    standard_ensemble,
)
from manyheads.models import Acceleration
from manyheads.tasks import classify
from manyheads.threats import Linf, Stealthy, TaskLoss

DIGIT, PARITY = classify("digit", classes=4), classify("parity", classes=2)
SINGLE, HALF = Acceleration(precision=torch.float32), Acceleration(precision=torch.bfloat16)
STEPS = PGD(steps=6, step_size=0.02)
BUDGET = Linf(0.06)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    "attack",
    [
        Restarts(Fast(STEPS, HALF), times=2),
        Fast(Restarts(STEPS, times=2), HALF),
        WorstOf((Fast(BIM(3, 0.02), HALF), Fast(STEPS, SINGLE))),
        EachTarget(Fast(STEPS, HALF), DIGIT, count=2),
        RaisingSuccess(Fast(STEPS, HALF)),
        Fast(standard_ensemble(DIGIT, steps=3, queries=5, targets=2), HALF),
        Fast(Ensemble(steps=3, queries=5), HALF),
        Fast(CW(steps=5, learning_rate=0.05, binary_search_steps=2, initial_const=10.0), HALF),
        Fast(Fast(STEPS, SINGLE), HALF),
    ],
    ids=lambda attack: f"{type(attack).__name__}-{type(getattr(attack, 'attack', None)).__name__}",
)
def test_it_stands_inside_other_attacks_and_around_them(victim, attack: Attack) -> None:
    before = {name: value.clone() for name, value in victim.model.state_dict().items()}
    victim.model.train()
    loss = victim.loss()
    found = attack(loss, victim.clean, BUDGET, rng=seeded())
    assert victim.model.training
    assert all(torch.equal(value, before[name]) for name, value in victim.model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in victim.model.parameters())
    assert found.dtype == victim.clean.dtype
    assert bool(BUDGET.contains(found, victim.clean).all())
    assert bool((loss.won(found) >= loss.won(victim.clean)).all())


def test_a_goal_under_a_condition_is_sought_on_the_copy_too(victim) -> None:
    raised, quiet = (TaskLoss([task], {task.name: 1.0}) for task in (DIGIT, PARITY))
    loss = victim.loss(Stealthy(raised, quiet, tolerance=0.5))
    found = Fast(PenaltySearch(steps=4, step_size=0.02, rounds=2), HALF)(loss, victim.clean, BUDGET, rng=seeded())
    with torch.no_grad():
        assert bool((loss(found) >= loss(victim.clean)).all())
    assert bool(loss.won(found).any())
