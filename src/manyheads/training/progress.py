"""Progress: what was measured in training so far, and which epoch was the best."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Measurement:
    """One line of a training history.

    Args:
        epoch: counted from 0.
        phase: `train` or `validation`.
        measure: in training a task's name, in validation what is measured.
        value: in training the task's mean loss over the epoch.
    """

    epoch: int
    phase: str
    measure: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where training stands after an epoch.

    Args:
        epoch: how many are done.
        best: the highest value so far of the measure that selects.
        best_epoch: how many were done when it was reached; 0 for never.
        history: everything measured so far.
    """

    epoch: int = 0
    best: float = float("-inf")
    best_epoch: int = 0
    history: tuple[Measurement, ...] = ()

    def after(self, losses: Mapping[str, float], *, measures: Mapping[str, float], select: str) -> "Progress":
        """Add a finished epoch; the later of two equally good ones counts as better.

        Args:
            losses: each task's mean loss.
            measures: what validation found; empty without one.
            select: the measure that says which epoch is better.
        """
        lines = [Measurement(self.epoch, "train", name, value) for name, value in losses.items()]
        lines += [Measurement(self.epoch, "validation", name, value) for name, value in measures.items()]
        after = replace(self, epoch=self.epoch + 1, history=(*self.history, *lines))
        if not measures or measures[select] < self.best:
            return after
        return replace(after, best=measures[select], best_epoch=after.epoch)

    def patient(self, patience: int | None) -> bool:
        """Tell whether fewer epochs in a row than `patience` were worse than the best; None is always patient."""
        return patience is None or self.epoch - self.best_epoch < patience
