"""Classification tasks: the main task from the labels, and hidden tasks from the same labels regrouped."""

from dataclasses import dataclass

from torch import Tensor

from manyheads.tasks.label_map import LabelMap
from manyheads.tasks.losses import CrossEntropy
from manyheads.tasks.metrics import Accuracy
from manyheads.tasks.task import Task
from manyheads.types import Batch


@dataclass(frozen=True)
class Annotation:
    """The annotation of this name, as it stands in the batch."""

    name: str

    def __call__(self, batch: Batch) -> Tensor:
        """Look it up.

        Raises:
            KeyError: if the batch has no such annotation.
        """
        if self.name not in batch:
            raise KeyError(f"the batch has no annotation {self.name!r}; it has: {', '.join(sorted(batch))}")
        return batch[self.name]


@dataclass(frozen=True)
class Regrouped:
    """A class annotation, regrouped by a label map."""

    source: Annotation
    label_map: LabelMap

    def __call__(self, batch: Batch) -> Tensor:
        """Look the annotation up and regroup it."""
        return self.label_map(self.source(batch))


def classify(name: str, *, classes: int | tuple[str, ...], source: str = "label") -> Task:
    """Make the task of naming an image's class.

    Args:
        name: the task's name.
        classes: how many classes there are, or their names.
        source: the annotation that holds the class, integers from 0.

    >>> classify("digit", classes=10).channels
    10
    """
    names = () if isinstance(classes, int) else tuple(classes)
    channels = classes if isinstance(classes, int) else len(classes)
    target = Annotation(source)
    return Task(name=name, channels=channels, target=target, loss=CrossEntropy(), metric=Accuracy, class_names=names)


def regroup(name: str, label_map: LabelMap, *, source: str = "label") -> Task:
    """Make a hidden task out of the labels of another: same images, fewer classes, no new annotation.

    Args:
        name: the task's name.
        label_map: which group each class belongs to.
        source: the annotation that holds the class, integers from 0.

    Reference: Hyun & Park, IEEE Access 2024, section III-B.

    >>> parity = regroup("parity", LabelMap(("even", "odd"), (0, 1) * 5))
    >>> import torch
    >>> parity.target({"label": torch.tensor([3, 8])}).tolist()
    [1, 0]
    """
    return Task(
        name=name,
        channels=len(label_map.names),
        target=Regrouped(Annotation(source), label_map),
        loss=CrossEntropy(),
        metric=Accuracy,
        class_names=label_map.names,
        label_map=label_map,
    )
