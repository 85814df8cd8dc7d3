"""Budgets: how far an attacked image may lie from the clean one, in each norm."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from manyheads.randomness import Streams
from manyheads.types import Flags, Image, PerExample

ROUNDING = 1e-6
"""What a pixel may be off by float32 rounding before an image counts as outside."""


@dataclass(frozen=True)
class Budget(ABC):
    """The set of images that an attacker may choose from: within `eps` of the clean image and inside [0, 1].

    Args:
        eps: the largest allowed size of the perturbation, in [0, 1] pixel units; infinity for no limit.

    Raises:
        ValueError: if eps is negative or not a number.
    """

    eps: float

    pixels_compete: ClassVar[bool] = False
    """Whether a step spent on one pixel is lost to the others, so that `steepest` asks how far each can go."""

    def __post_init__(self) -> None:
        """Refuse an eps that is no size."""
        if not self.eps >= 0:
            raise ValueError(f"eps is a size and cannot be negative, got {self.eps}")

    @abstractmethod
    def size(self, perturbation: Image) -> PerExample:
        """Return the norm of each perturbation."""

    @abstractmethod
    def shrink(self, perturbation: Image, *, low: Image | None = None, high: Image | None = None) -> Image:
        """Return the nearest perturbation (Euclidean) that has at most size eps and lies between `low` and `high`.

        Args:
            perturbation: any image-shaped difference.
            low: the smallest allowed change of each pixel, zero or below; None for no bound.
            high: the largest allowed change of each pixel, zero or above; None for no bound.
        """

    @abstractmethod
    def steepest(self, gradient: Image, *, free: Image | None = None) -> Image:
        """Return the direction of size one that climbs fastest along the gradient; zero where the gradient is.

        Args:
            gradient: the gradient of each example's loss.
            free: how far each pixel can still move in the gradient's direction, as a share of the step; None for all
                the way. Only where pixels compete, in L1, does it matter: a step is not spent on what cannot move.
        """

    @abstractmethod
    def noise(self, clean: Image, rng: Streams) -> Image:
        """Draw a perturbation uniformly from the ball of radius eps, one stream per example."""

    @abstractmethod
    def slack(self, pixels: int) -> float:
        """Return how much size rounding alone can add to an image of so many pixels."""

    @abstractmethod
    def around(self, clean: Image) -> Callable[[Image], Image]:
        """Make the projection for these clean images; what it needs of them is computed once, not at every step."""

    @final
    def project(self, image: Image, clean: Image) -> Image:
        """Return the nearest allowed image: within eps of the clean one, inside [0, 1]."""
        return self.around(clean)(image)

    @final
    def contains(self, image: Image, clean: Image) -> Flags:
        """Tell which images are allowed, up to float32 rounding."""
        small = self.size(image.double() - clean.double()) <= self.eps + self.slack(clean[0].numel())
        inside = ((image >= -ROUNDING) & (image <= 1 + ROUNDING)).flatten(1).all(1)
        return small & inside & image.isfinite().flatten(1).all(1)


def shrunk(budget: Budget, clean: Image, image: Image) -> Image:
    """Return the nearest allowed image by shrinking the change between the bounds of [0, 1]."""
    nearest = clean + budget.shrink(image - clean, low=-clean, high=1 - clean)
    return nearest.clamp(0, 1)


def column(value: PerExample | Flags) -> Tensor:
    """Give one number or flag per example the shape that goes with an image."""
    return value.view(-1, 1, 1, 1)
