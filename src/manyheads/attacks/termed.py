"""Losses made of several terms, which some attacks treat apart."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from manyheads.attacks.attack import Loss
from manyheads.types import Image, PerExample


@runtime_checkable
class TermedLoss(Loss, Protocol):
    """A loss that can name its terms; `manyheads.threats.Loss` is one where its objective has any."""

    def terms(self, image: Image) -> Mapping[str, PerExample]:
        """Return the terms of each image by name; one pass through the model serves all."""
        ...

    def only(self, term: str) -> Loss:
        """Return the loss of an attacker who raises one term and wants the same success."""
        ...

    def select(self, rows: Tensor) -> "TermedLoss":
        """Keep some of the examples (indices or a mask)."""
        ...


def termed(loss: Loss) -> TermedLoss:
    """Return the loss, known to name its terms.

    Raises:
        TypeError: if it cannot.
    """
    if not isinstance(loss, TermedLoss):
        raise TypeError(
            f"this attack treats the terms of a loss apart, which {type(loss).__name__} does not name; give it a loss "
            "with terms(image) and only(term), as ThreatModel.loss(batch) makes it"
        )
    return loss
