"""Ratios of score differences: by hand, and unmoved by another scale of the scores."""

import pytest
import torch

from manyheads.tasks import UNKNOWN_CLASS, classify
from manyheads.threats import DLR, ClassLead, FixedClass, Margin, TargetedDLR

TASK = classify("digit", classes=5)
SCORES = torch.tensor([[4.0, 1.0, 2.0, 0.0, -3.0], [4.0, 1.0, 2.0, 0.0, -3.0]])
LABEL = torch.tensor([0, 2])


def test_the_ratio_by_hand() -> None:
    value = DLR(TASK)({"digit": SCORES}, {"digit": LABEL})
    assert value.tolist() == pytest.approx([(2 - 4) / (4 - 1), (4 - 2) / (4 - 1)])


def test_the_targeted_ratio_by_hand() -> None:
    value = TargetedDLR(TASK, FixedClass(3))({"digit": SCORES}, {"digit": LABEL})
    spread = 4 - (1 + 0) / 2
    assert value.tolist() == pytest.approx([(0 - 4) / spread, (0 - 2) / spread])


@pytest.mark.parametrize("objective", [DLR(TASK), TargetedDLR("digit", FixedClass(1))])
def test_neither_scale_nor_offset_matters(objective) -> None:
    plain = objective({"digit": SCORES}, {"digit": LABEL})
    torch.testing.assert_close(objective({"digit": 1000 * SCORES - 7}, {"digit": LABEL}), plain)


def test_its_sign_says_who_is_misclassified() -> None:
    scores = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    label = torch.arange(50) % 5
    won = DLR(TASK)({"digit": scores}, {"digit": label}) > 0
    assert torch.equal(won, scores.argmax(1) != label)


@pytest.mark.parametrize("objective", [DLR(TASK), TargetedDLR(TASK)])
def test_equal_scores_give_zero(objective) -> None:
    assert objective({"digit": torch.ones(2, 5)}, {"digit": LABEL}).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("objective", [DLR(TASK), TargetedDLR(TASK)])
def test_an_unknown_class_gives_zero(objective) -> None:
    unknown = torch.full((2,), UNKNOWN_CLASS)
    assert objective({"digit": SCORES}, {"digit": unknown}).tolist() == [0.0, 0.0]


def test_any_wrong_class_is_a_success() -> None:
    assert DLR(TASK).success == Margin(TASK)
    assert TargetedDLR(TASK, FixedClass(1)).success == Margin(TASK)
    assert ClassLead(TASK, FixedClass(1)).success == Margin(TASK)


@pytest.mark.parametrize(("objective", "count", "classes"), [(DLR(TASK), 3, 2), (TargetedDLR(TASK), 4, 3)])
def test_there_are_enough_classes(objective, count: int, classes: int) -> None:
    with pytest.raises(ValueError, match=f"compares the {count} highest scores, but the task has {classes} classes"):
        objective({"digit": SCORES[:, :classes]}, {"digit": LABEL % classes})
