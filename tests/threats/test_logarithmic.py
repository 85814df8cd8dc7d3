"""The logarithm of an objective rises where the objective does, and says nothing else about success."""

import math

import pytest
import torch
from torch import Tensor

from manyheads.tasks import UNKNOWN_CLASS, classify
from manyheads.threats import FixedClass, Logarithmic, Margin, Objective, Targeted, TargetLead, TaskLoss

TASK = classify("digit", classes=3)
RAISED, WANTED = TaskLoss([TASK], {"digit": 1.0}), Targeted(TASK, FixedClass(2))
TRUTH = {"digit": torch.tensor([0, 1, 2, 0])}


def outputs(seed: int = 0, *, size: float = 1.0) -> dict[str, Tensor]:
    return {"digit": size * torch.randn(4, 3, generator=torch.Generator().manual_seed(seed))}


def test_of_a_task_loss_it_is_the_logarithm() -> None:
    torch.testing.assert_close(Logarithmic(RAISED)(outputs(), TRUTH), RAISED(outputs(), TRUTH).log())


def test_of_a_targeted_goal_it_is_minus_the_logarithm_of_the_cross_entropy() -> None:
    cross_entropy = torch.nn.functional.cross_entropy(outputs()["digit"], torch.full((4,), 2), reduction="none")
    torch.testing.assert_close(Logarithmic(WANTED)(outputs(), TRUTH), -cross_entropy.log())


@pytest.mark.parametrize("goal", [RAISED, WANTED], ids=["raised", "wanted"])
def test_its_gradient_is_the_goals_divided_by_the_goals_magnitude(goal: Objective) -> None:
    scores = outputs()["digit"].requires_grad_()
    value = goal({"digit": scores}, TRUTH)
    (plain,) = torch.autograd.grad(value.sum(), scores)
    (found,) = torch.autograd.grad(Logarithmic(goal)({"digit": scores}, TRUTH).sum(), scores)
    torch.testing.assert_close(found, plain / value.detach().abs()[:, None])


@pytest.mark.parametrize("goal", [RAISED, WANTED], ids=["raised", "wanted"])
def test_a_confident_victim_gives_finite_values_and_gradients(goal: Objective) -> None:
    scores = torch.tensor([[0.0, 0.0, 1e4], [0.0, 0.0, 20.0], [0.0, 0.0, -1e4], [0.0, 0.0, 0.0]]).requires_grad_()
    value = Logarithmic(goal)({"digit": scores}, {"digit": torch.tensor([2, 2, 2, 2])})
    value.sum().backward()
    assert bool(value.isfinite().all())
    assert scores.grad is not None
    assert bool(scores.grad.isfinite().all())


def test_a_target_that_is_hit_beyond_doubt_is_the_best_value_and_not_the_worst() -> None:
    sure = {"digit": torch.tensor([[0.0, 0.0, 1e4], [0.0, 0.0, 5.0]])}
    first, second = Logarithmic(WANTED)(sure, {"digit": torch.tensor([0, 0])})
    assert first > second > 0
    assert float(first) == pytest.approx(-math.log(1e-8))


def test_a_loss_that_is_raised_from_zero_is_at_the_worst_value_and_one_that_is_lowered_at_the_best() -> None:
    sure, truth = {"digit": torch.tensor([[1e4, 0.0, 0.0]])}, {"digit": torch.tensor([0])}
    raised, lowered = (Logarithmic(TaskLoss([TASK], {"digit": weight})) for weight in (1.0, -1.0))
    assert float(raised(sure, truth)) == pytest.approx(math.log(1e-8))
    assert float(lowered(sure, truth)) == pytest.approx(-math.log(1e-8))


def test_an_example_without_a_class_has_no_gradient() -> None:
    scores = outputs()["digit"].requires_grad_()
    unknown = {"digit": torch.full((4,), UNKNOWN_CLASS)}
    (found,) = torch.autograd.grad(Logarithmic(RAISED)({"digit": scores}, unknown).sum(), scores)
    assert torch.equal(found, torch.zeros(4, 3))


@pytest.mark.parametrize("goal", [RAISED, WANTED], ids=["raised", "wanted"])
def test_success_is_that_of_the_goal(goal: Objective) -> None:
    assert Logarithmic(goal).success == goal.success
    assert goal.success is not None


@pytest.mark.parametrize("goal", [Margin(TASK), TargetLead(TASK)])
def test_a_margin_is_refused(goal: Objective) -> None:
    with pytest.raises(ValueError, match=rf"{type(goal).__name__} changes it where.*give it TaskLoss"):
        Logarithmic(goal)
