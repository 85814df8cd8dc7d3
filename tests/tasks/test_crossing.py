"""Crossed tasks have more hidden classes than main ones, and each goes with one main class."""

import pytest
import torch

from manyheads.tasks import Brightness, Crossing, cross

THREE = Crossing(("cat", "dog", "ship"), Brightness((0.5,)))


def batch(labels: list[int], pixels: list[float]) -> dict[str, torch.Tensor]:
    """A batch of flat grey images."""
    return {"label": torch.tensor(labels), "image": torch.tensor(pixels).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)}


def test_the_hidden_class_is_class_times_level() -> None:
    task = cross("lit", THREE)
    assert task.target(batch([0, 0, 2, 1], [0.1, 0.9, 0.9, 0.1])).tolist() == [0, 1, 5, 2]
    assert task.channels == 6


def test_another_annotation_can_be_crossed() -> None:
    other = {**batch([0], [0.9]), "pet": torch.tensor([2])}
    assert cross("lit", THREE, source="pet").target(other).tolist() == [5]


def test_hidden_classes_are_named_by_class_and_level() -> None:
    assert cross("lit", THREE).class_names[4:] == ("ship, brightness below 0.5", "ship, brightness from 0.5")
    assert Crossing(2, Brightness((0.5,))).names[2] == "1, brightness below 0.5"


def test_every_level_of_a_class_goes_with_that_class_only() -> None:
    yes, no = [True, True], [False, False]
    assert THREE.compatible.tolist() == [yes + no + no, no + yes + no, no + no + yes]
    assert cross("lit", THREE).label_map == THREE


def test_the_truth_is_compatible_with_its_class() -> None:
    labels = torch.arange(3).repeat(5)
    pixels = torch.rand(15, generator=torch.Generator().manual_seed(0))
    hidden = THREE(labels, pixels.reshape(-1, 1, 1, 1))
    assert THREE.compatible[labels, hidden].all()


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_crossing_is_refused(label: int) -> None:
    low, high = min(label, 1), max(label, 1)
    with pytest.raises(ValueError, match=f"labels must be 0 to 2, got {low} to {high}"):
        THREE(torch.tensor([1, label]), torch.zeros(2, 1, 2, 2))


def test_a_single_class_cannot_be_crossed() -> None:
    with pytest.raises(ValueError, match="a crossing needs at least two classes, got 1"):
        Crossing(1, Brightness())
