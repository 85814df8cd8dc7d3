"""What attackers raise: values by hand, and signs that tell exactly who has won."""

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from manyheads.tasks import UNKNOWN_CLASS, Annotation, Segmentation, Task, classify
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.tasks.losses import MaskedCrossEntropy, MaskedL1
from manyheads.tasks.metrics import Accuracy
from manyheads.threats import (
    Aim,
    ClassLead,
    FixedClass,
    Margin,
    NextClass,
    Targeted,
    TargetLead,
    TaskLoss,
    lead,
)

DIGIT, PARITY = classify("digit", classes=3), classify("parity", classes=2)
OUTPUTS = {
    "digit": torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0]]),
    "parity": torch.tensor([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]]),
}
TRUTH = {"digit": torch.tensor([0, 2, 1]), "parity": torch.tensor([0, 0, 1])}


class Difference:
    """A loss that is no cross-entropy."""

    def __call__(self, output: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return (output[:, 0] - truth).abs()


REGRESSION = Task(name="height", channels=1, target=lambda batch: batch["height"], loss=Difference(), metric=Accuracy)

DENSE = (
    Task(
        name="ground",
        channels=2,
        target=Annotation("ground"),
        loss=MaskedCrossEntropy(),
        metric=lambda: Segmentation(2),
    ),
    Task(name="depth", channels=1, target=Annotation("depth"), loss=MaskedL1(), metric=AbsoluteError),
)


def scores_and_labels(seed: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(20, classes, generator=generator)
    return scores, torch.randint(classes, (20,), generator=generator)


def test_a_task_loss_is_the_weighted_sum() -> None:
    digit = torch.nn.functional.cross_entropy(OUTPUTS["digit"], TRUTH["digit"], reduction="none")
    parity = torch.nn.functional.cross_entropy(OUTPUTS["parity"], TRUTH["parity"], reduction="none")
    both = TaskLoss([DIGIT, PARITY], {"digit": 1.0, "parity": 0.25})
    torch.testing.assert_close(both(OUTPUTS, TRUTH), digit + 0.25 * parity)
    torch.testing.assert_close(TaskLoss([DIGIT, PARITY], {"parity": 2.0})(OUTPUTS, TRUTH), 2 * parity)


def test_the_attacked_tasks_come_in_the_order_of_the_weights() -> None:
    objective = TaskLoss([DIGIT, PARITY], {"parity": 1.0, "digit": 1.0})
    assert objective.attacked == (PARITY, DIGIT)
    assert objective.success == Margin(PARITY)


def test_a_task_loss_tells_who_won_by_its_first_classification_task() -> None:
    assert TaskLoss([DIGIT, PARITY], {"digit": 0.5, "parity": 1.0}).success == Margin(DIGIT)
    assert TaskLoss([REGRESSION, DIGIT], {"height": 1.0, "digit": 1.0}).success is None
    assert TaskLoss([DIGIT, PARITY], {"digit": -1.0, "parity": 1.0}).success is None  # who lowers a loss wants it right


def test_a_weight_without_a_task_is_refused() -> None:
    with pytest.raises(ValueError, match="weights name size, shade, which is no task; tasks: digit, parity"):
        TaskLoss([DIGIT, PARITY], {"size": 1.0, "digit": 1.0, "shade": 1.0})


def test_no_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="give at least one task a weight; tasks: digit"):
        TaskLoss([DIGIT], {})


def test_margins_by_hand() -> None:
    assert Margin(DIGIT)(OUTPUTS, TRUTH).tolist() == [-1.0, 2.0, 0.0]
    assert Margin("parity")(OUTPUTS, TRUTH).tolist() == [1.0, -2.0, 0.0]


def test_a_tie_is_no_win() -> None:
    tied = {"digit": torch.tensor([[1.0, 1.0, 1.0]])}
    for label in range(3):
        assert Margin(DIGIT)(tied, {"digit": torch.tensor([label])}).tolist() == [0.0]
        assert TargetLead(DIGIT)(tied, {"digit": torch.tensor([label])}).tolist() == [0.0]


@hypothesis.given(seed=st.integers(0, 10**6), classes=st.integers(2, 12))
@hypothesis.settings(deadline=None, max_examples=40)
def test_a_margin_is_above_zero_exactly_where_the_class_is_wrong(seed: int, classes: int) -> None:
    scores, label = scores_and_labels(seed, classes)
    margin = Margin("digit")({"digit": scores}, {"digit": label})
    assert torch.equal(margin > 0, scores.argmax(1) != label)


@hypothesis.given(seed=st.integers(0, 10**6), classes=st.integers(2, 12), offset=st.integers(1, 30))
@hypothesis.settings(deadline=None, max_examples=40)
def test_a_target_leads_exactly_where_it_is_reached(seed: int, classes: int, offset: int) -> None:
    hypothesis.assume(offset % classes != 0)
    scores, label = scores_and_labels(seed, classes)
    reached = TargetLead("digit", NextClass(offset))({"digit": scores}, {"digit": label})
    assert torch.equal(reached > 0, scores.argmax(1) == (label + offset) % classes)


def test_a_targeted_attack_raises_the_wanted_classs_probability() -> None:
    objective = Targeted(DIGIT, FixedClass(1))
    torch.testing.assert_close(objective(OUTPUTS, TRUTH), OUTPUTS["digit"].log_softmax(1)[:, 1])
    torch.testing.assert_close(
        Targeted(DIGIT)(OUTPUTS, TRUTH), OUTPUTS["digit"].log_softmax(1)[torch.arange(3), torch.tensor([1, 0, 2])]
    )


def test_what_success_means_to_each() -> None:
    assert Margin(DIGIT).success == Margin(DIGIT)
    assert Targeted(DIGIT, FixedClass(2)).success == TargetLead(DIGIT, FixedClass(2))
    assert TargetLead(DIGIT).success == TargetLead(DIGIT, NextClass(1))


def test_a_lead_falls_with_the_given_score_and_rises_with_the_best_other() -> None:
    scores = OUTPUTS["digit"][:2].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(lead(scores, other_than=torch.tensor([0, 2])).sum(), scores)
    assert gradient.tolist() == [[-1.0, 0.0, 1.0], [0.0, 1.0, -1.0]]


def test_a_class_leads_by_its_score_minus_the_true_classs() -> None:
    scores = torch.tensor([[1.0, 4.0, 2.0], [1.0, 4.0, 2.0]])
    value = ClassLead(DIGIT, NextClass(2))({"digit": scores}, {"digit": torch.tensor([1, UNKNOWN_CLASS])})
    assert value.tolist() == [-3.0, 0.0]


def test_a_margin_is_the_greatest_of_its_parts() -> None:
    parts = torch.stack([part(OUTPUTS, TRUTH) for part in Margin(DIGIT).parts])
    assert len(parts) == DIGIT.channels - 1
    torch.testing.assert_close(parts.amax(0), Margin(DIGIT)(OUTPUTS, TRUTH))


def test_what_is_not_made_of_parts_is_its_only_one() -> None:
    assert [objective.parts for objective in (Margin("digit"), TargetLead(DIGIT))] == [
        (Margin("digit"),),
        (TargetLead(DIGIT),),
    ]


def test_the_next_class_wraps_around() -> None:
    assert NextClass()(torch.tensor([0, 1, 2]), classes=3).tolist() == [1, 2, 0]
    assert NextClass(-1)(torch.tensor([0, 1, 2]), classes=3).tolist() == [2, 0, 1]


@pytest.mark.parametrize("offset", [0, 3, -6])
def test_the_next_class_is_not_the_true_one(offset: int) -> None:
    with pytest.raises(ValueError, match="aims at the true class itself among 3 classes"):
        NextClass(offset)(torch.tensor([0]), classes=3)


@pytest.mark.parametrize("target", [-1, 3])
def test_a_fixed_class_exists(target: int) -> None:
    with pytest.raises(ValueError, match=f"the wanted class must be 0 to 2, got {target}"):
        FixedClass(target)(torch.tensor([0]), classes=3)


@pytest.mark.parametrize("aim", [NextClass(), FixedClass(0)])
def test_ways_to_aim_are_interchangeable(aim: Aim) -> None:
    assert isinstance(aim, Aim)
    assert aim(torch.tensor([1, 1]), classes=3).dtype == torch.int64


def dense_example() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Three images; the second has no class and the third no depth."""
    generator = torch.Generator().manual_seed(0)
    outputs = {task.name: torch.randn(3, task.channels, 2, 2, generator=generator) for task in DENSE}
    truth = {"ground": torch.randint(2, (3, 2, 2), generator=generator), "depth": torch.rand(3, 1, 2, 2)}
    truth["ground"][1], truth["depth"][2] = UNKNOWN_CLASS, torch.nan
    return outputs, truth


def test_an_example_without_a_target_adds_nothing_to_that_task() -> None:
    outputs, truth = dense_example()
    outputs = {name: output.requires_grad_() for name, output in outputs.items()}
    value = TaskLoss(DENSE, {"ground": 1.0, "depth": 2.0})(outputs, truth)
    ground, depth = (TaskLoss(DENSE, {name: 1.0})(outputs, truth) for name in ("ground", "depth"))
    assert [ground.tolist()[1], depth.tolist()[2]] == [0.0, 0.0]
    assert value.tolist() == pytest.approx((ground + 2 * depth).tolist())
    gradients = dict(zip(outputs, torch.autograd.grad(value.sum(), list(outputs.values())), strict=True))
    assert [bool(gradient.any()) for gradient in gradients["ground"]] == [True, False, True]
    assert [bool(gradient.any()) for gradient in gradients["depth"]] == [True, True, False]


def test_nobody_says_when_a_dense_task_is_won() -> None:
    assert TaskLoss(DENSE, {"ground": 1.0, "depth": 1.0}).success is None


@pytest.mark.parametrize(
    "objective", [Margin(DIGIT), Targeted(DIGIT), TargetLead(DIGIT, FixedClass(1)), TaskLoss([DIGIT], {"digit": 1.0})]
)
def test_an_unknown_class_is_neither_won_nor_followed(objective) -> None:
    scores = OUTPUTS["digit"].clone().requires_grad_()
    value = objective({"digit": scores}, {"digit": torch.tensor([0, UNKNOWN_CLASS, 0])})
    (gradient,) = torch.autograd.grad(value.sum(), scores)
    known = objective(OUTPUTS, {"digit": torch.zeros(3, dtype=torch.int64)})
    assert value.tolist() == [known[0], 0.0, known[2]]
    assert [bool(row.any()) for row in gradient] == [True, False, True]
