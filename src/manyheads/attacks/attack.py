"""What every attack is: a search for the image that raises a loss most, within a budget."""

from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import torch
from torch import Tensor

from manyheads.deferral import examine
from manyheads.randomness import Randomness, Streams, streams_for
from manyheads.threats import ROUNDING, Budget, column
from manyheads.types import Flags, Image, PerExample


@runtime_checkable
class Loss(Protocol):
    """What an attack needs to know; `manyheads.threats.Loss` is one."""

    @property
    def knows_success(self) -> bool:
        """Whether `margin` and `won` can tell; if not, they raise a ValueError."""
        ...

    def __call__(self, image: Image) -> PerExample:
        """Return what the attacker raises."""
        ...

    def margin(self, image: Image) -> PerExample:
        """Return by how much each image wins, above zero exactly where it does."""
        ...

    def won(self, image: Image) -> Flags:
        """Tell which images win."""
        ...

    def select(self, rows: Tensor) -> "Loss":
        """Keep some of the examples (indices or a mask)."""
        ...


@dataclass(frozen=True)
class Attack(ABC):
    """A search for allowed images with a high loss.

    Calling an attack leaves the model, its modes and its parameters' gradients as they were, works under `no_grad`
    and `inference_mode`, and treats every example as if it were alone.
    """

    @abstractmethod
    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Return the attacked images; gradients are enabled and `clean` is a detached copy."""

    @final
    def __call__(self, loss: Loss, clean: Image, budget: Budget, *, rng: Randomness = None) -> Image:
        """Attack a batch of images.

        Args:
            loss: what is raised, made by `ThreatModel.loss(batch)`.
            clean: the images to start from, in [0, 1].
            budget: which images are allowed.
            rng: where random numbers come from; None draws a seed from torch's global generator.

        Raises:
            ValueError: if the images are not floats in [0, 1], or the loss or its gradient is not finite; inside
                `deferred`, when the device has told.
        """
        check(clean)
        # The model stays in eval mode in backward passes too; a loss of one's own may have no model to hold.
        held = getattr(loss, "in_eval_mode", nullcontext)
        with torch.inference_mode(mode=False), torch.enable_grad(), held():
            start = clean.detach().clone()
            return self.search(loss, start, budget=budget, rng=streams_for(start, rng)).detach()


def check(image: Tensor) -> None:
    """Refuse what is not a batch of images in [0, 1].

    Raises:
        ValueError: saying what was found.
    """
    if image.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"images are float32 or float64 in [0, 1], got {image.dtype}; divide uint8 images by 255, and leave "
            "half precision to the model: small steps vanish in its rounding"
        )
    if image.dim() != 4:
        raise ValueError(
            f"images have the shape (batch, channel, height, width), got {tuple(image.shape)}; "
            "a single image needs image[None]"
        )
    if image.numel() == 0:
        raise ValueError(f"there is nothing to attack in a batch of shape {tuple(image.shape)}")
    examine(torch.stack([image.min(), image.max()]), _refuse_range)


def _refuse_range(bounds: list[float]) -> None:
    low, high = bounds
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):  # also false for NaN
        raise ValueError(
            f"images must lie in [0, 1], got values from {low:.6g} to {high:.6g}; normalise in the model, not before"
        )


@dataclass(eq=False)
class Best:
    """The image of highest loss seen so far, example by example."""

    image: Image
    loss: PerExample

    @staticmethod
    def nothing(image: Image) -> "Best":
        """Hold images of no worth, which any offer beats."""
        return Best(image.clone(), image.new_full((len(image),), -torch.inf))

    def offer(self, image: Image, loss: PerExample, *, rows: Tensor | None = None) -> None:
        """Keep the images that are better than what is held; equal ones are not, and NaN never is.

        Args:
            image: the offered images.
            loss: their losses.
            rows: which examples (indices) they belong to; None for all, in order.
        """
        held = self if rows is None else Best(self.image[rows], self.loss[rows])
        better = loss > held.loss
        # Zero of the way or all of it, both exact: the same choice as torch.where's, in a third of the time.
        share = column(better.to(image.dtype))
        chosen = held.image.lerp(image, share), torch.where(better, loss, held.loss)
        if rows is None:
            self.image, self.loss = chosen
        else:
            self.image[rows], self.loss[rows] = chosen
