"""Carlini & Wagner's attack: exact margins of a linear model, per-example search, what comes back where it fails."""

import math

import pytest
import torch
from torch import nn

from manyheads.attacks import CW
from manyheads.tasks import CrossEntropy, Task, classify
from manyheads.tasks.metrics import Accuracy
from manyheads.threats import L1, L2, Budget, Linf, Margin, TaskLoss, ThreatModel

FREE = L2(math.inf)
QUICK = CW(steps=60, learning_rate=0.02, binary_search_steps=3, initial_const=3.0)


class Steep(nn.Module):
    """Two classes; class 1 leads by `slope * (brightness - 0.75)`, so that white images alone are class 1."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope
        self.anchor = nn.Parameter(torch.zeros(()))

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        score = self.slope * (image.mean((1, 2, 3)) - 0.75) + self.anchor
        return {"main": torch.stack([torch.zeros_like(score), score], dim=1)}


def steep(slope: float, label: torch.Tensor):
    task = classify("main", classes=2)
    threat = ThreatModel(name="t", model=Steep(slope), tasks=[task], objective=Margin(task), budget=FREE)
    return threat.loss({"label": label})


def distance_to_boundary(victim) -> torch.Tensor:
    """Exact: |weight · image + bias| / ‖weight‖."""
    with torch.no_grad():
        scores = victim.model(victim.clean)["main"]
    return (scores[:, 1] - scores[:, 0]).abs() / victim.model.weight.detach().norm()


@pytest.mark.parametrize("attack", [CW(steps=120), CW(steps=120, initial_const=0.01)])
def test_the_distance_is_the_exact_margin_of_a_linear_model(linear, margin, attack: CW) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = victim.loss(margin)
    attacked = attack(loss, victim.clean, FREE)
    ratio = L2(0.0).size(attacked - victim.clean) / distance_to_boundary(victim)
    assert bool(loss.won(attacked).all())
    assert float(ratio.min()) > 1 - 1e-4
    assert float(ratio.max()) < 1.02


def test_confidence_moves_the_boundary(linear, margin) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = victim.loss(margin)
    attacked = CW(steps=100, confidence=0.5)(loss, victim.clean, FREE)
    expected = distance_to_boundary(victim) + 0.5 / victim.model.weight.detach().norm()
    with torch.no_grad():
        assert float(loss.margin(attacked).min()) >= 0.5
    torch.testing.assert_close(L2(0.0).size(attacked - victim.clean), expected, rtol=0.02, atol=0)


def test_a_winner_at_once_is_left_as_it_is(linear, margin) -> None:
    victim = linear(low=0.3, high=0.7, wrong=True)
    assert torch.equal(QUICK(victim.loss(margin), victim.clean, FREE), victim.clean)


def test_only_winners_inside_the_budget_count(linear, margin) -> None:
    victim = linear(low=0.3, high=0.7)
    loss, exact = victim.loss(margin), distance_to_boundary(victim)
    eps = float(exact.sort().values[3:5].mean())
    assert float((exact / eps - 1).abs().min()) > 0.03
    attacked = CW(steps=100)(loss, victim.clean, L2(eps))
    assert loss.won(attacked).tolist() == (exact < eps).tolist()
    assert bool(L2(eps).contains(attacked, victim.clean).all())


@pytest.mark.parametrize("budget", [Linf(0.3), L1(5.0), L2(1.0)])
def test_small_enough_means_the_same_in_every_norm(linear, margin, budget: Budget) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = victim.loss(margin)
    free, limited = (QUICK(loss, victim.clean, allowed) for allowed in (FREE, budget))
    allowed = loss.won(free) & budget.contains(free, victim.clean)
    assert int(allowed.sum()) >= 4
    assert torch.equal(limited[allowed], free[allowed])


@pytest.mark.parametrize("budget", [L2(0.2), Linf(0.05), L1(0.5)])
def test_where_nothing_wins_the_image_of_highest_margin_comes_back(budget: Budget) -> None:
    clean = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0)) * 0.2
    loss = steep(1.0, torch.zeros(3, dtype=torch.int64))
    attacked = QUICK(loss, clean, budget)
    assert not bool(loss.won(attacked).any())
    assert bool(budget.contains(attacked, clean).all())
    gained = (attacked - clean).flatten(1)
    assert float(gained.min()) > -1e-5  # uphill is brighter, in every pixel
    torch.testing.assert_close(budget.size(attacked - clean), torch.full((3,), budget.eps), atol=1e-3, rtol=0)


def test_where_nothing_can_win_nothing_is_disguised_as_a_winner() -> None:
    clean = torch.full((2, 1, 2, 2), 0.5)
    loss = steep(0.0, torch.zeros(2, dtype=torch.int64))
    attacked = QUICK(loss, clean, FREE)
    assert not bool(loss.won(attacked).any())
    torch.testing.assert_close(attacked, clean, atol=1e-4, rtol=0)


def test_each_example_is_given_up_alone(victim) -> None:
    victim.model.double()
    clean, attack = victim.clean.double(), CW(steps=40, learning_rate=0.03, binary_search_steps=2, initial_const=5.0)
    together = attack(victim.loss(), clean, FREE)
    rows = [slice(row, row + 1) for row in range(len(clean))]
    alone = [attack(victim.loss(rows=row), clean[row], FREE) for row in rows]
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-5, rtol=0)


def test_examples_that_are_done_are_dropped(victim) -> None:
    seen = []
    victim.model.register_forward_hook(lambda _module, arguments, _outputs: seen.append(len(arguments[0])))
    CW(steps=200, learning_rate=0.05, binary_search_steps=1, initial_const=10.0)(victim.loss(), victim.clean, FREE)
    assert seen[:2] == [5, 4]  # the last example wins as it is
    descent = seen[1:-1]
    assert descent == sorted(descent, reverse=True)
    assert len(set(descent)) > 1


def test_more_constants_never_find_a_larger_perturbation(victim) -> None:
    sizes = [
        L2(0.0).size(CW(30, 0.03, binary_search_steps=tried)(victim.loss(), victim.clean, FREE) - victim.clean)
        for tried in (2, 3, 4)
    ]
    assert bool((sizes[0] >= sizes[1]).all())
    assert bool((sizes[1] >= sizes[2]).all())
    assert bool((sizes[0] > sizes[2]).any())


def test_the_last_step_counts() -> None:
    clean, loss = torch.full((1, 1, 2, 2), 0.5), steep(50.0, torch.zeros(1, dtype=torch.int64))
    one_step = CW(steps=1, learning_rate=1.0, binary_search_steps=1)(loss, clean, FREE)
    assert bool(loss.won(one_step).all())


def test_black_and_white_pixels_can_move(linear, margin) -> None:
    victim = linear(low=-0.5, high=1.5)
    clean = victim.clean.clamp(0, 1)
    loss = victim.loss(margin)
    rows = (~loss.won(clean)).nonzero()[:, 0]
    start = ((clean[rows] == 0) | (clean[rows] == 1)).float().mean()
    attacked = CW(steps=60, learning_rate=0.05, binary_search_steps=2)(loss.select(rows), clean[rows], FREE)
    assert float(start) > 0.3
    assert bool(loss.select(rows).won(attacked).all())


def test_without_success_there_is_nothing_to_win(victim) -> None:
    unclear = Task(name="digit", channels=4, target=victim.tasks[0].target, loss=Half(), metric=Accuracy)
    threat = ThreatModel(
        name="t", model=victim.model, tasks=[unclear], objective=TaskLoss([unclear], {"digit": 1.0}), budget=FREE
    )
    with pytest.raises(ValueError, match="does not tell when the attacker has won"):
        QUICK(threat.loss(victim.batch), victim.clean, FREE)


class Half:
    """A loss that is no cross-entropy, so that nothing follows about success."""

    def __call__(self, output: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return CrossEntropy()(output, truth) / 2


@pytest.mark.parametrize("name", ["steps", "binary_search_steps"])
@pytest.mark.parametrize("count", [0, -1])
def test_there_is_at_least_one_step(name: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"{name} is a number above zero, got {count}"):
        CW(**{name: count})


@pytest.mark.parametrize("name", ["learning_rate", "initial_const"])
@pytest.mark.parametrize("value", [0.0, -0.5, math.nan, math.inf])
def test_the_rate_and_the_constant_are_above_zero(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is a number above zero, got {value}"):
        CW(**{name: value})


@pytest.mark.parametrize("confidence", [-0.5, math.nan, math.inf])
def test_confidence_is_a_margin(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence is a margin of zero or above"):
        CW(confidence=confidence)
