"""One head as a model of its own, for libraries that know one output only."""

from collections.abc import Iterable

from torch import Tensor, nn

from manyheads.models.multitask import MultiTaskModel
from manyheads.tasks import Task, named
from manyheads.types import Image


class HeadView(nn.Module):
    """A model that returns one head's answer: what torchattacks, Foolbox, ART and AutoAttack expect.

    It shares the model's weights and follows `train()` and `eval()`; the other heads are computed and dropped.

    Args:
        model: any module that maps images to a dict of outputs.
        task: the head's task, or its name.

    Raises:
        ValueError: if the model has no such head.
    """

    def __init__(self, model: nn.Module, task: Task | str) -> None:
        super().__init__()
        self.model = model
        self.task = named(task)
        if isinstance(model, MultiTaskModel):
            _check(self.task, model.heads)
        self.training = model.training

    def forward(self, image: Image) -> Tensor:
        """Return the head's answer.

        Raises:
            ValueError: if the model's outputs have no such entry.
        """
        outputs = self.model(image)
        _check(self.task, outputs)
        return outputs[self.task]


def _check(task: str, heads: Iterable[str]) -> None:
    if task not in heads:
        raise ValueError(f"the model has no head {task!r}; its heads: {', '.join(heads)}")
