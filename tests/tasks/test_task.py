"""A task is a value: checked when made, hashable, picklable."""

import pickle
from dataclasses import replace

import pytest
import torch

from manyheads.tasks import Brightness, Crossing, Task, classify, cross, maps, named, regroup

TASKS = [
    classify("digit", classes=10),
    classify("pet", classes=("cat", "dog")),
    regroup("prime", maps.load("mnist/prime")),
    cross("lit", Crossing(10, Brightness())),
]


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_a_task_travels_between_processes(task: Task) -> None:
    copy = pickle.loads(pickle.dumps(task))
    assert copy == task
    assert hash(copy) == hash(task)
    batch = {"label": torch.tensor([1, 0]), "image": torch.rand(2, 1, 4, 4)}
    assert torch.equal(copy.target(batch), task.target(batch))


def test_a_task_may_be_meant_by_its_name() -> None:
    assert named("digit") == named(TASKS[0]) == "digit"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "road sign"}, "a task's name is a Python identifier, got 'road sign'"),
        ({"channels": 0}, "at least one channel, got 0 for task 'digit'"),
        ({"class_names": ("a", "b")}, "task 'digit' has 10 classes but 2 class names"),
    ],
)
def test_a_task_that_no_head_could_serve_is_refused(change, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(TASKS[0], **change)
