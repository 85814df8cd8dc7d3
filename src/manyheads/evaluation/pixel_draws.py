"""Random subsets of a segmentation's output pixels, each pixel taken as one task."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from manyheads.evaluation.gradients import Judged, judged
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS, Task
from manyheads.types import Batch


@dataclass(frozen=True)
class PixelDraws:
    """Random subsets of the known pixels of each example; within a draw, a larger one contains the smaller ones.

    Args:
        numbers: how many pixels the subsets have.
        draws: how often they are drawn.
        seed: decides the draws, with the example's number in the data set.

    Raises:
        ValueError: if a number is below one, there is none, or nothing is drawn.
    """

    numbers: tuple[int, ...]
    draws: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse draws of nothing."""
        if not self.numbers or min(self.numbers) < 1 or self.draws < 1:
            raise ValueError(
                f"at least one pixel is drawn at least once, got numbers={self.numbers} and draws={self.draws}"
            )

    def examples(self, model: nn.Module, task: Task, batches: Iterable[Batch]) -> Iterator[Judged]:
        """Yield the examples that have as many known pixels as the largest number, on the model's device.

        Raises:
            ValueError: if there is none, at the end.
        """
        needed, found = max(self.numbers), 0
        for part in judged(model, [task], batches):
            enough = (part.truth[task.name] != UNKNOWN_CLASS).flatten(1).sum(1) >= needed
            found += int(enough.sum())
            if enough.any():
                yield part.select(enough)
        if not found:
            raise ValueError(f"no example has {needed} known pixels of {task.name!r}; draw fewer, or use larger images")

    def order(
        self, truth: Int64[Tensor, "batch height width"], index: Int64[Tensor, " batch"], *, draw: int
    ) -> Int64[Tensor, "batch pixels"]:
        """Return each example's pixels in random order, as places in the flattened image; unknown ones stand last."""
        streams = Streams.of_examples(index, seed=self.seed, stage=f"pixels of draw {draw}")
        number = streams.uniform(*truth.shape[1:])
        return number.where(truth != UNKNOWN_CLASS, 2.0).flatten(1).argsort(dim=1, stable=True)


def only(
    places: Int64[Tensor, "batch chosen"], truth: Int64[Tensor, "batch height width"]
) -> Int64[Tensor, "batch height width"]:
    """Make every pixel of the truth unknown but these, so that the task's loss is the mean over them alone."""
    chosen = torch.zeros_like(truth, dtype=torch.bool).flatten(1).scatter(1, places, value=True)
    return truth.where(chosen.view_as(truth), UNKNOWN_CLASS)
