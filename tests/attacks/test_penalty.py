"""A penalty whose weight is searched: what it needs, what it finds, and the promises that every attack makes."""

from dataclasses import dataclass

import pytest
import torch

from manyheads.attacks import PenaltySearch
from manyheads.randomness import Streams
from manyheads.threats import L1, L2, Budget, Constrained, Linf, Margin, Objective, Standing, TaskLoss
from manyheads.types import Outputs, PerExample, Truth

SEARCH = PenaltySearch(steps=4, step_size=0.03, rounds=3)
BUDGETS = pytest.mark.parametrize("budget", [Linf(0.06), L2(0.3), L1(1.5)])


@dataclass(frozen=True)
class Bounded(Constrained):
    """Raise the digit's margin while the parity's is at most `bound`."""

    bound: float = 0.0
    ends: bool = False

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        return self.standing(outputs, truth).worth

    def standing(self, outputs: Outputs, truth: Truth) -> Standing:
        goal, unmet = Margin("digit")(outputs, truth), (self.bound - Margin("parity")(outputs, truth)).clamp_max(0)
        return Standing(goal, unmet, torch.where(unmet < 0, unmet - 100, goal))

    @property
    def success(self) -> Objective | None:
        return self if self.ends else None


def streams(victim) -> Streams:
    return Streams.of_examples(torch.arange(5), seed=0, stage="test").to(victim.clean.device)


@BUDGETS
def test_it_stays_inside_the_budget_and_moves(victim, budget: Budget) -> None:
    attacked = SEARCH(victim.loss(Bounded()), victim.clean, budget, rng=streams(victim))
    assert budget.contains(attacked, victim.clean).all()
    assert (budget.size(attacked - victim.clean) > 0.1 * budget.eps).any()


@BUDGETS
@pytest.mark.parametrize("ends", [True, False])
def test_it_does_not_depend_on_batch_mates(victim, budget: Budget, *, ends: bool) -> None:
    together = SEARCH(victim.loss(Bounded(ends=ends)), victim.clean, budget, rng=streams(victim))
    for chosen in ([3], [4, 0, 2, 1]):
        rows = torch.tensor(chosen, device=victim.clean.device)
        apart = SEARCH(
            victim.loss(Bounded(ends=ends), rows=rows), victim.clean[rows], budget, rng=streams(victim).select(rows)
        )
        torch.testing.assert_close(apart, together[rows], atol=1e-5, rtol=0)


def test_more_rounds_are_never_worth_less(victim) -> None:
    loss = victim.loss(Bounded())
    worth = [
        loss(PenaltySearch(4, 0.03, rounds)(loss, victim.clean, Linf(0.1), rng=streams(victim))) for rounds in (1, 2, 5)
    ]
    assert (worth[0] <= worth[1]).all()
    assert (worth[1] <= worth[2]).all()
    assert (worth[2] > worth[0] + 0.01).any()


def test_a_zero_budget_returns_the_clean_images_and_nothing_is_written_to(victim) -> None:
    before = victim.clean.clone()
    assert torch.equal(SEARCH(victim.loss(Bounded()), victim.clean, Linf(0.0)), before)
    SEARCH(victim.loss(Bounded()), victim.clean, Linf(0.1))
    assert torch.equal(victim.clean, before)


def test_a_goal_without_condition_is_refused(victim) -> None:
    with pytest.raises(ValueError, match="a penalty needs an objective with a goal and a condition, got one of digit"):
        SEARCH(victim.loss(TaskLoss(victim.tasks, {"digit": 1.0})), victim.clean, Linf(0.1))


@pytest.mark.parametrize("name", ["steps", "step_size", "rounds", "first"])
def test_settings_that_find_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is a number above zero, got 0"):
        PenaltySearch(**{name: type(getattr(PenaltySearch, name))(0)})
