"""The losses of an epoch, added up as they become known."""

from collections.abc import Mapping
from functools import partial
from math import isfinite

import torch
from torch import Tensor

from manyheads.deferral import examine


class Tally:
    """Each task's losses, added up over examples; inside `deferred` no batch waits for them.

    `latest` are the last losses that are known: none at first, on a CUDA device perhaps those of an earlier batch.
    `sums` are complete when `deferred` ends.
    """

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}
        self.sums: dict[str, float] = {}
        self.examples = 0

    def take(self, losses: Mapping[str, Tensor], *, examples: int, epoch: float) -> None:
        """Add the mean losses of a batch.

        Args:
            losses: one number per task.
            examples: how many examples they are means of.
            epoch: how many epochs are done, for the message.

        Raises:
            ValueError: if there is no loss, or one is not finite; inside `deferred`, when the device has told.
        """
        if not losses:
            raise ValueError("a training step returns one loss per task, got none; give it at least one task")
        self.examples += examples
        values = torch.stack([loss.detach().reshape(()) for loss in losses.values()])
        examine(values, partial(self._enter, tuple(losses), examples=examples, epoch=epoch))

    def _enter(self, names: tuple[str, ...], values: list[float], *, examples: int, epoch: float) -> None:
        self.latest = dict(zip(names, values, strict=True))
        broken = [name for name, value in self.latest.items() if not isfinite(value)]
        if broken:
            raise ValueError(
                f"the loss of {', '.join(broken)} is not finite at epoch {epoch:.2f}; lower the learning rate"
            )
        for name, value in self.latest.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * examples
