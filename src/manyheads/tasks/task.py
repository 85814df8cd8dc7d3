"""A task: what one head is asked, what the true answer is, and how a wrong one is counted."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from manyheads.tasks.label_map import Relation
from manyheads.tasks.metrics import Counter
from manyheads.types import Batch, PerExample


@dataclass(frozen=True, kw_only=True)
class Task:
    """One question that a model answers with one head.

    Args:
        name: the key of this task in a model's outputs.
        channels: how many numbers the head returns per example (or per pixel).
        target: takes a batch and returns the true answer.
        loss: `(output, truth)` to one loss per example.
        metric: makes a fresh counter for this task's quality.
        class_names: names of the classes, for a classification task.
        label_map: how a hidden task's classes go with the labels it was made of: a `LabelMap` or a `Crossing`.
    """

    name: str
    channels: int
    target: Callable[[Batch], Tensor]
    loss: Callable[[Tensor, Tensor], PerExample]
    metric: Callable[[], Counter]
    class_names: tuple[str, ...] = ()
    label_map: Relation | None = None

    def __post_init__(self) -> None:
        """Refuse a task that no head could serve."""
        if not self.name.isidentifier():
            raise ValueError(
                f"a task's name is a Python identifier, got {self.name!r}; write 'road_sign', not 'road sign'"
            )
        if self.channels < 1:
            raise ValueError(f"a head returns at least one channel, got {self.channels} for task {self.name!r}")
        if self.class_names and len(self.class_names) != self.channels:
            raise ValueError(f"task {self.name!r} has {self.channels} classes but {len(self.class_names)} class names")


def named(task: Task | str) -> str:
    """Name of a task, given the task or its name."""
    return task if isinstance(task, str) else task.name
