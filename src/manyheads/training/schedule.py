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

    Args:
        every: how many epochs lie between two divisions.
        by: what the rate is divided by.

    Raises:
        ValueError: if one of them is not above zero.

    Reference: Hyun & Park, IEEE Access 2024, section IV-B (a tenth every 50 epochs).
    """

    every: int = 50
    by: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a division without end, or by nothing."""
        if self.every < 1 or not self.by > 0:
            raise ValueError(f"divide every 1 or more epochs by a number above zero, got {self}")

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

    The rise begins just above zero, so that the first batch counts.

    Args:
        rise: the share of training that the rate rises, in (0, 1).

    Raises:
        ValueError: if it is not.

    Reference: Smith & Topin 2019; Wong et al., ICLR 2020 use it for fast adversarial training.
    """

    rise: float = 0.3

    def __post_init__(self) -> None:
        """Refuse a triangle without a top."""
        if not 0 < self.rise < 1:
            raise ValueError(f"rise is the share of training before the top, in (0, 1), got {self.rise}")

    def factor(self, epoch: float, *, epochs: int) -> float:
        """Return the height of the triangle."""
        done = min(epoch / epochs, 1.0)
        return (done + 1e-3) / (self.rise + 1e-3) if done < self.rise else (1 - done) / (1 - self.rise)
