"""Objectives on several tasks: values and gradients by hand, and signs that tell exactly who has won."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manyheads.tasks import UNKNOWN_CLASS, classify
from manyheads.threats import AllOf, AnyOf, Balanced, Margin, Objective, Targeted, TaskLoss, WorstTask, all_met

DIGIT, PARITY = classify("digit", classes=3), classify("parity", classes=2)
BOTH = TaskLoss([DIGIT, PARITY], {"digit": 1.0, "parity": 2.0})
GOALS = [Margin(DIGIT), Margin(PARITY)]
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    outputs = {"digit": torch.randn(30, 3, generator=generator), "parity": torch.randn(30, 2, generator=generator)}
    truth = {
        "digit": torch.randint(3, (30,), generator=generator),
        "parity": torch.randint(2, (30,), generator=generator),
    }
    return outputs, truth


def gradients(objective: Objective, *, seed: int) -> dict[str, torch.Tensor]:
    outputs, truth = drawn(seed)
    leaves = {name: output.requires_grad_() for name, output in outputs.items()}
    objective(leaves, truth).sum().backward()
    return {name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in leaves.items()}


@given(seed=SEEDS)
def test_all_goals_are_reached_where_every_head_errs_and_any_where_one_does(seed: int) -> None:
    outputs, truth = drawn(seed)
    wrong = torch.stack([outputs[name].argmax(1) != truth[name] for name in outputs])
    assert torch.equal(AllOf(GOALS)(outputs, truth) > 0, wrong.all(0))
    assert torch.equal(AnyOf(GOALS)(outputs, truth) > 0, wrong.any(0))


@given(seed=SEEDS)
def test_a_targeted_goal_counts_as_reached_where_its_class_leads(seed: int) -> None:
    outputs, truth = drawn(seed)
    reached = outputs["digit"].argmax(1) == (truth["digit"] + 1) % 3
    wrong = outputs["parity"].argmax(1) != truth["parity"]
    assert torch.equal(AllOf([Targeted(DIGIT), Margin(PARITY)])(outputs, truth) > 0, reached & wrong)


def test_unmet_goals_add_up_and_met_ones_count_by_the_nearest() -> None:
    outputs = {"digit": torch.tensor([[0.0, 2.0, 0.0], [5.0, 2.0, 0.0]]), "parity": torch.tensor([[1.0, 2.0]] * 2)}
    truth = {"digit": torch.tensor([0, 0]), "parity": torch.tensor([0, 1])}
    assert AllOf(GOALS)(outputs, truth).tolist() == [1.0, -4.0]
    assert AnyOf(GOALS)(outputs, truth).tolist() == [2.0, -1.0]


def test_who_lacks_the_truth_of_one_goal_can_reach_any_but_not_all() -> None:
    outputs, truth = drawn(0)
    truth["parity"] = torch.full_like(truth["parity"], UNKNOWN_CLASS)
    assert not (AllOf(GOALS)(outputs, truth) > 0).any()
    assert torch.equal(AnyOf(GOALS)(outputs, truth) > 0, outputs["digit"].argmax(1) != truth["digit"])


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_joint_goals_are_their_own_judges(kind: type) -> None:
    assert kind(GOALS).success == kind(GOALS)


def test_any_of_several_margins_is_the_greatest_of_all_class_leads() -> None:
    outputs, truth = drawn(3)
    parts = torch.stack([part(outputs, truth) for part in AnyOf(GOALS).parts])
    assert len(parts) == 3
    torch.testing.assert_close(parts.amax(0), AnyOf(GOALS)(outputs, truth))


@pytest.mark.parametrize(("kind", "what"), [(AllOf, "all"), (AnyOf, "any")])
def test_no_goals_are_refused(kind: type, what: str) -> None:
    with pytest.raises(ValueError, match=f"{what} of no goals is nothing to attack"):
        kind([])


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_a_goal_that_cannot_tell_is_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="TaskLoss cannot tell when it is reached"):
        kind([Margin(DIGIT), TaskLoss([DIGIT], {"digit": -1.0})])


@given(conditions=st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=5))
def test_all_met_is_above_zero_exactly_when_all_conditions_are(conditions: list[float]) -> None:
    assert (all_met(torch.tensor(conditions)) > 0) == all(condition > 0 for condition in conditions)


def test_the_balanced_gradient_is_the_sum_of_the_gradients_over_their_losses() -> None:
    outputs, truth = drawn(1)
    found = gradients(Balanced(BOTH), seed=1)
    for task in (DIGIT, PARITY):
        alone = gradients(TaskLoss([task], {task.name: 1.0}), seed=1)[task.name]
        expected = alone / task.loss(outputs[task.name], truth[task.name])[:, None]
        torch.testing.assert_close(found[task.name], expected, rtol=1e-3, atol=1e-4)


def test_weights_do_not_turn_the_balanced_gradient() -> None:
    even = gradients(Balanced(TaskLoss([DIGIT, PARITY], {"digit": 1.0, "parity": 1.0})), seed=1)
    uneven = gradients(Balanced(TaskLoss([DIGIT, PARITY], {"digit": 1.0, "parity": 50.0})), seed=1)
    for name, expected in even.items():
        torch.testing.assert_close(uneven[name], expected, rtol=1e-3, atol=1e-4)


def test_a_loss_of_zero_leaves_the_balanced_objective_finite() -> None:
    outputs = {"digit": torch.tensor([[500.0, 0.0, 0.0]], requires_grad=True), "parity": torch.tensor([[0.0, 1.0]])}
    value = Balanced(BOTH)(outputs, {"digit": torch.tensor([0]), "parity": torch.tensor([0])})
    value.sum().backward()
    assert value.isfinite().all()
    assert outputs["digit"].grad.isfinite().all()


@given(seed=SEEDS)
def test_the_worst_task_is_the_smallest_weighted_loss_and_pulls_alone(seed: int) -> None:
    outputs, truth = drawn(seed)
    losses = torch.stack(list(BOTH.terms(outputs, truth).values()))
    assert torch.equal(WorstTask(BOTH)(outputs, truth), losses.min(0).values)
    found = gradients(WorstTask(BOTH), seed=seed)
    pulled = torch.stack([(found[name] != 0).any(1) for name in ("digit", "parity")])
    assert torch.equal(pulled, losses == losses.min(0).values)


def test_a_task_without_a_target_is_not_the_worst_one() -> None:
    outputs, truth = drawn(2)
    truth["parity"] = torch.full_like(truth["parity"], UNKNOWN_CLASS)
    truth["digit"][0] = UNKNOWN_CLASS
    expected = DIGIT.loss(outputs["digit"], truth["digit"])
    assert torch.equal(WorstTask(BOTH)(outputs, truth), expected)
    assert expected[0] == 0
    assert (expected[1:] > 0).all()


@pytest.mark.parametrize("kind", [Balanced, WorstTask])
def test_several_losses_have_won_where_their_sum_has_and_name_the_same_terms(kind: type) -> None:
    outputs, truth = drawn(0)
    assert kind(BOTH).success == BOTH.success
    assert kind(BOTH).weights == BOTH.weights
    assert list(kind(BOTH).terms(outputs, truth)) == ["digit", "parity"]


@pytest.mark.parametrize(("kind", "what"), [(Balanced, "balanced losses"), (WorstTask, "the least of several losses")])
def test_weights_that_are_not_above_zero_are_refused(kind: type, what: str) -> None:
    with pytest.raises(ValueError, match=f"{what} need weights above zero, got {{'parity': 0.0}}"):
        kind(TaskLoss([DIGIT, PARITY], {"digit": 1.0, "parity": 0.0}))
