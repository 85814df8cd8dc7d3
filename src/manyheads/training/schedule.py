"""Learning-rate schedules: a factor on the optimiser's own rate, as a function of the epoch alone.

Nothing is remembered between steps, so that a resumed run cannot differ from an uninterrupted one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import cos, pi


class Schedule(ABC):
    """A factor on the learning rate."""

    @abstractmethod
    def factor(self, epoch: float, *, epochs: int) -> float:
        """Return the factor when `epoch` epochs (a fraction counts) of `epochs` are done."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The optimiser's own rate throughout."""

    def factor(self, epoch: float, *, epochs: int) -> float:  # noqa: ARG002
        """Return one."""
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Divide the rate every so many epochs.

    Reference: Hyun & Park, IEEE Access 2024, section IV-B (a tenth every 50 epochs).
    """

    every: int = 50
    by: float = 10.0

    def factor(self, epoch: float, *, epochs: int) -> float:  # noqa: ARG002
        """Return `by` to the minus number of full periods."""
        return self.by ** -(int(epoch) // self.every)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Fall along half a cosine to zero.

    Reference: Loshchilov & Hutter, ICLR 2017, without restarts.
    """

    def factor(self, epoch: float, *, epochs: int) -> float:
        """Return (1 + cos(π epoch / epochs)) / 2."""
        return (1 + cos(pi * min(epoch / epochs, 1.0))) / 2


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rise linearly over the first part of training, then fall linearly to zero.

    Args:
        rise: the share of training that the rate rises, in (0, 1).

    Reference: Smith & Topin 2019; Wong et al., ICLR 2020 use it for fast adversarial training.
    """

    rise: float = 0.3

    def factor(self, epoch: float, *, epochs: int) -> float:
        """Return the height of the triangle."""
        done = min(epoch / epochs, 1.0)
        return (done + 1e-3) / (self.rise + 1e-3) if done < self.rise else (1 - done) / (1 - self.rise)
