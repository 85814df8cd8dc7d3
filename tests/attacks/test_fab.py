"""FAB: exact margins of linear models in every norm, class by class, and what comes back where it fails."""

import math

import pytest
import torch
from torch import nn

from manyheads.attacks import CW, FAB, EachTarget
from manyheads.tasks import classify
from manyheads.threats import L1, L2, Budget, Linf, Margin, TaskLoss, ThreatModel

DUAL = {Linf: 1.0, L2: 2.0, L1: math.inf}
FREE = [Linf(1.0), L2(math.inf), L1(math.inf)]
MANY = classify("main", classes=6)
every_norm = pytest.mark.parametrize("budget", FREE, ids=lambda one: type(one).__name__)


@every_norm
def test_the_distance_is_the_exact_margin_of_a_linear_model(linear, margin, budget: Budget) -> None:
    victim = linear(low=0.4, high=0.6)
    loss = victim.loss(margin)
    with torch.no_grad():
        slope = torch.linalg.vector_norm(victim.model.weight, DUAL[type(budget)])
        exact = -loss.margin(victim.clean) / slope
    near = exact < 0.4  # so that no pixel need turn black or white
    attacked = FAB(20)(loss, victim.clean, budget)
    ratio = (budget.size(attacked - victim.clean) / exact)[near]
    assert bool(loss.won(attacked).all())
    assert len(ratio) >= 2
    assert float(ratio.min()) > 1 - 1e-4
    assert float(ratio.max()) < 1.01


class Planes(nn.Module):
    """Six classes whose scores are linear."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(48, 6, generator=torch.Generator().manual_seed(5)))

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"main": (image.flatten(1) - 0.5) @ self.weight}


@every_norm
@pytest.mark.parametrize("attack", [FAB(25), EachTarget(FAB(25), MANY)], ids=["untargeted", "targeted"])
def test_of_several_classes_the_nearest_is_found(budget: Budget, attack) -> None:
    model, clean = Planes(), 0.5 + 0.1 * torch.randn(12, 3, 4, 4, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        scores = model(clean)["main"]
        label = scores.argmax(1)
        steep = model.weight[:, None] - model.weight[:, :, None]  # pixel, from, to
        slope = torch.linalg.vector_norm(steep, DUAL[type(budget)], dim=0)[label]
        exact = ((scores.amax(1, keepdim=True) - scores) / slope).scatter(1, label[:, None], math.inf).amin(1)
    eps = 1.03 * float(exact.sort().values[8])
    allowed, near = type(budget)(eps), exact < 0.25
    objective = TaskLoss([MANY], {"main": 1.0})
    loss = ThreatModel(name="t", model=model, tasks=[MANY], objective=objective, budget=allowed).loss({"label": label})
    attacked = attack(loss, clean, allowed)
    expected = exact < 0.99 * eps
    assert bool(loss.won(attacked)[expected].all())
    assert not bool(loss.won(attacked)[exact > 1.001 * eps].any() and isinstance(budget, L2))
    ratio = budget.size(attacked - clean) / exact
    untargeted = ratio[expected & near] if isinstance(attack, FAB) else ratio[:0]
    assert bool((untargeted < 1.02).all())


def test_it_is_about_as_near_as_cw(victim) -> None:
    loss, free = victim.loss(), L2(math.inf)
    near, other = (
        free.size(attack(loss, victim.clean, free) - victim.clean)
        for attack in (FAB(20), CW(steps=80, learning_rate=0.02, binary_search_steps=3, initial_const=3.0))
    )
    assert bool((near <= 1.05 * other + 1e-6).all())


def test_a_winner_at_once_is_left_as_it_is(linear, margin) -> None:
    victim = linear(low=0.3, high=0.7, wrong=True)
    assert torch.equal(FAB(3)(victim.loss(margin), victim.clean, Linf(0.1)), victim.clean)


@pytest.mark.parametrize("budget", [Linf(0.005), L2(0.05), L1(0.02)])
def test_where_nothing_wins_the_way_there_is_followed_to_the_border(linear, margin, budget: Budget) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = victim.loss(margin)
    attacked = FAB(10)(loss, victim.clean, budget)
    assert not bool(loss.won(attacked).any())
    assert bool(budget.contains(attacked, victim.clean).all())
    with torch.no_grad():
        assert bool((loss.margin(attacked) > loss.margin(victim.clean)).all())


def test_a_random_start_finds_it_too(linear, margin) -> None:
    victim = linear(low=0.4, high=0.6)
    loss = victim.loss(margin)
    plain, other = (
        FAB(25, random_start=start)(loss, victim.clean, L2(0.8), rng=torch.Generator().manual_seed(1))
        for start in (False, True)
    )
    assert not torch.equal(plain, other)
    sizes = [L2(0.0).size(image - victim.clean) for image in (plain, other)]
    torch.testing.assert_close(sizes[1], sizes[0], rtol=0.02, atol=0)


def test_without_success_there_is_nothing_to_win(victim) -> None:
    loss = victim.loss(lambda outputs, truth: outputs["digit"][:, 0])  # noqa: ARG005 (an objective's form)
    with pytest.raises(ValueError, match="does not tell when the attacker has won"):
        FAB(2)(loss, victim.clean, Linf(0.1))


def test_there_is_at_least_one_step() -> None:
    with pytest.raises(ValueError, match="takes at least one step, got steps=0"):
        FAB(0)


def test_a_task_known_by_name_alone_is_one_boundary(victim) -> None:
    loss = victim.loss(Margin("digit"))
    attacked = FAB(15)(loss, victim.clean, L2(math.inf))
    assert bool(loss.won(attacked).all())
