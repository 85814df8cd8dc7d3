"""Hidden tasks with more classes than the main task: each class, split by an attribute of the image."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from manyheads.tasks.attributes import Attribute
from manyheads.tasks.classify import Annotation
from manyheads.tasks.label_map import check_labels
from manyheads.tasks.losses import CrossEntropy
from manyheads.tasks.metrics import Accuracy
from manyheads.tasks.task import Task
from manyheads.types import Batch, Image


@dataclass(frozen=True)
class Crossing:
    """Every class times every level of an attribute: hidden class `label * levels + level`.

    Args:
        classes: how many classes the main task has, or their names.
        attribute: what splits each class.

    Raises:
        ValueError: if there are fewer than two classes.

    >>> from manyheads.tasks import Brightness
    >>> Crossing(("cat", "dog"), Brightness((0.5,))).names[3]
    'dog, brightness from 0.5'
    """

    classes: int | tuple[str, ...]
    attribute: Attribute

    def __post_init__(self) -> None:
        """Refuse a main task that decides nothing."""
        if len(self._class_names) < 2:
            raise ValueError(f"a crossing needs at least two classes, got {self.classes}")

    @property
    def _class_names(self) -> tuple[str, ...]:
        return tuple(str(number) for number in range(self.classes)) if isinstance(self.classes, int) else self.classes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the hidden classes."""
        return tuple(f"{name}, {level}" for name in self._class_names for level in self.attribute.levels)

    @property
    def compatible(self) -> Bool[Tensor, "classes hidden"]:
        """Which hidden answers go with which main class: those of that class, on any level."""
        return torch.eye(len(self._class_names)).bool().repeat_interleave(len(self.attribute.levels), dim=1)

    def __call__(self, label: Int64[Tensor, " batch"], image: Image) -> Int64[Tensor, " batch"]:
        """Return the hidden class of each example.

        Raises:
            ValueError: if a label is not one of the classes.
        """
        check_labels(label, classes=len(self._class_names))
        return label * len(self.attribute.levels) + self.attribute(image)


@dataclass(frozen=True)
class Crossed:
    """A class annotation, crossed with an attribute of the batch's image."""

    source: Annotation
    crossing: Crossing

    def __call__(self, batch: Batch) -> Tensor:
        """Look annotation and image up and cross them."""
        return self.crossing(self.source(batch), batch["image"])


def cross(name: str, crossing: Crossing, *, source: str = "label") -> Task:
    """Make a hidden task with more classes than the main task; it needs no new annotation.

    The truth is read off the batch's own image: off the clean one, where a step or a threat attacks that batch.

    Args:
        name: the task's name.
        crossing: which attribute splits the classes.
        source: the annotation that holds the class, integers from 0.

    Reference: this project's own; Hyun & Park, IEEE Access 2024, section V, leave more hidden classes than main ones
    to future work.

    >>> from manyheads.tasks import Brightness
    >>> task = cross("lit_digit", Crossing(10, Brightness((0.3,))))
    >>> task.target({"label": torch.tensor([7]), "image": torch.ones(1, 1, 2, 2)}).tolist()
    [15]
    """
    return Task(
        name=name,
        channels=len(crossing.names),
        target=Crossed(Annotation(source), crossing),
        loss=CrossEntropy(),
        metric=Accuracy,
        class_names=crossing.names,
        label_map=crossing,
    )
