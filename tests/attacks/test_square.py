"""Square: no gradient asked for, near the worst case of a linear model, winners dropped."""

import math

import pytest
import torch
from torch import nn

from manyheads.attacks import Square
from manyheads.threats import L1, L2, Budget, Linf


def slope_of(victim):
    """A loss that rises along the linear victim's weights, and never wins."""
    return victim.loss(lambda outputs, truth: outputs["main"][:, 1])  # noqa: ARG005 (an objective's form)


def test_it_comes_near_the_worst_case_of_a_linear_model(linear) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = slope_of(victim)
    attacked = Square(queries=400)(loss, victim.clean, Linf(0.1), rng=torch.Generator().manual_seed(0))
    with torch.no_grad():
        gained = loss(attacked) - loss(victim.clean)
    worst = 0.1 * float(victim.model.weight.detach().abs().sum())
    assert float(gained.min()) > 0.95 * worst
    assert float(gained.max()) <= worst + 1e-4


@pytest.mark.parametrize("budget", [L2(0.5), L1(1.0)])
def test_in_other_norms_more_queries_reach_higher(linear, budget: Budget) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = slope_of(victim)
    few, many = (
        loss(Square(queries)(loss, victim.clean, budget, rng=torch.Generator().manual_seed(0))).mean()
        for queries in (1, 150)
    )
    assert many > few
    assert many > loss(victim.clean).mean()


def test_no_gradient_is_asked_for(victim) -> None:
    class Blocked(nn.Module):
        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            return {name: value.detach().round(decimals=1) for name, value in victim.model(image).items()}

    blocked = type(victim)(Blocked(), victim.tasks, victim.batch)
    attacked = Square(queries=20)(blocked.loss(), victim.clean, Linf(0.2), rng=torch.Generator().manual_seed(0))
    assert bool(blocked.loss().won(attacked).any())


def test_who_has_won_is_not_asked_about_again(victim) -> None:
    seen = []
    victim.model.register_forward_hook(lambda _module, arguments, _outputs: seen.append(len(arguments[0])))
    loss = victim.loss()
    attacked = Square(queries=30)(loss, victim.clean, Linf(0.2), rng=torch.Generator().manual_seed(0))
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] < seen[0] == 5
    assert int(loss.won(attacked).sum()) >= 5 - seen[-1]


def test_so_many_queries_are_asked(linear) -> None:
    victim, seen = linear(low=0.3, high=0.7), []
    victim.model.register_forward_hook(lambda *_: seen.append(1))
    Square(queries=13)(slope_of(victim), victim.clean, Linf(0.01))
    assert len(seen) == 13


@pytest.mark.parametrize(("query", "side"), [(1, 8), (3, 6), (15, 4), (999, 1)])
def test_patches_shrink(query: int, side: int) -> None:
    assert Square(queries=1000, area=1.0)._side(query, torch.zeros(1, 1, 8, 9)) == side


@pytest.mark.parametrize("queries", [0, -1])
def test_something_is_asked(queries: int) -> None:
    with pytest.raises(ValueError, match=f"asked at least once, got queries={queries}"):
        Square(queries)


@pytest.mark.parametrize("area", [0.0, 1.5, math.nan])
def test_the_area_is_a_share(area: float) -> None:
    with pytest.raises(ValueError, match="area is a share of the image"):
        Square(area=area)


def test_a_budget_without_a_border_is_refused(victim) -> None:
    with pytest.raises(ValueError, match="at the border of the budget, which has none here"):
        Square(5)(victim.loss(), victim.clean, L2(math.inf))


def test_a_loss_that_is_not_finite_is_refused(linear) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = victim.loss(lambda outputs, truth: outputs["main"][:, 1] / 0)  # noqa: ARG005 (an objective's form)
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        Square(3)(loss, victim.clean, Linf(0.1))
