"""The eleven dense tasks: channels, truth, losses and metrics."""

import pickle
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from manyheads.tasks import (
    PAPER_LETTERS,
    UNKNOWN_CLASS,
    MaskedCosine,
    MaskedL1,
    MaskedL2,
    Segmentation,
    Task,
    autoencode,
    known,
    named,
    normals,
    paper_task,
    segment,
)
from manyheads.tasks.dense import SegmentationOf

TASKS = [paper_task(letter, classes=8) for letter in PAPER_LETTERS]
ANNOTATION = {"normals": "normal", "autoencoding": "image"}


def one_hot(truth: Tensor) -> Tensor:
    """Scores that leave no doubt."""
    return torch.nn.functional.one_hot(truth, 8).movedim(-1, 1) * 100.0


def test_the_paper_has_eleven_tasks() -> None:
    assert "".join(PAPER_LETTERS) == "sdDneEkKprA"
    assert [task.name for task in TASKS] == list(PAPER_LETTERS.values())
    assert [task.channels for task in TASKS] == [8, 1, 1, 3, 1, 1, 1, 1, 2, 1, 3]
    assert [task.metric().headline for task in TASKS] == [
        *("miou", "absolute_error", "absolute_error", "mean_angle"),
        *["l1"] * 7,
    ]


@pytest.mark.parametrize("letter", PAPER_LETTERS)
def test_a_task_goes_by_letter_and_by_name(letter: str) -> None:
    assert paper_task(letter) == paper_task(PAPER_LETTERS[letter])


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_the_truth_is_the_annotation_and_is_right(rooms: Mapping[str, Tensor], task: Task) -> None:
    truth = task.target(rooms)
    assert torch.equal(truth, rooms[ANNOTATION.get(task.name, task.name)])
    output = one_hot(truth) if task.name == "segmentation" else truth
    assert task.loss(output, truth).max() < 1e-6
    counter = task.metric()
    counter.update(output, truth)
    assert counter.scores()[counter.headline] == pytest.approx(float(counter.higher_is_better), abs=1e-4)


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_an_example_without_truth_adds_nothing_to_the_loss(task: Task) -> None:
    output = torch.randn(2, task.channels, 3, 4, requires_grad=True)
    numbers = torch.full((2, task.channels, 3, 4), torch.nan)
    empty = torch.full((2, 3, 4), UNKNOWN_CLASS) if task.name == "segmentation" else numbers
    loss = task.loss(output, empty)
    loss.sum().backward()
    assert known(empty).tolist() == [False, False]
    assert loss.tolist() == [0, 0]
    assert output.grad is not None
    assert not output.grad.any()


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_a_dense_task_travels_between_processes(task: Task) -> None:
    copy = pickle.loads(pickle.dumps(task))
    assert copy == task
    assert hash(copy) == hash(task)


def test_classes_are_counted_or_named() -> None:
    assert segment().channels == 13
    assert segment("parts", classes=("wall", "floor")).class_names == ("wall", "floor")
    assert isinstance(SegmentationOf(5)(), Segmentation)
    assert SegmentationOf(5)().classes == 5


def test_autoencoding_takes_another_loss_and_grey_images() -> None:
    assert autoencode().loss == MaskedL1()
    grey = autoencode("denoised", channels=1, loss=MaskedL2())
    assert (grey.name, grey.channels, grey.loss) == ("denoised", 1, MaskedL2())


def test_normals_take_another_loss() -> None:
    assert normals().loss == MaskedL1()
    assert normals("directions", loss=MaskedCosine()).loss == MaskedCosine()


def test_an_unknown_letter_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no dense task is called 'depht'; did you mean 'depth'"):
        paper_task("depht")
