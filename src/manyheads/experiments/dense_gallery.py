"""Galleries of dense tasks: a few attacked frames with what every head said of them, for a person to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from torch import Tensor

from manyheads.evaluation import Attacked
from manyheads.experiments.gallery import KeptExamples


@final
@dataclass(eq=False)
class DenseGallery(KeptExamples):
    """The first frames of an evaluation, with truth and predictions per pixel."""

    size: int = 4

    def answers(self, attacked: Attacked, *, room: int) -> Mapping[str, Tensor]:
        """Return what the heads said before and after the attack; of a segmentation the class of every pixel."""
        tensors = {}
        for task, truth in attacked.truth.items():
            for when, outputs in (("clean", attacked.before), ("attacked", attacked.after)):
                output = outputs[task][:room]
                tensors[f"{when}.{task}"] = output if truth.is_floating_point() else output.argmax(1)
        return tensors
