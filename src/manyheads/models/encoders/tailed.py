"""An encoder that goes on into layers which all heads have in common."""

from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.types import Image


class Tailed(nn.Module):
    """An encoder with a tail behind it: all heads read what the tail returns, which is computed once per image.

    The same module objects in every head would give the same answers, but run once per head; here the tail belongs to
    the encoder, and a model counts its parameters as shared.

    Args:
        encoder: maps images to features.
        tail: goes on from there; it says in its attribute `features` how many channels it returns.

    >>> from manyheads.models import DilatedResNet, DilatedTail
    >>> Tailed(DilatedResNet(), tail=DilatedTail()).features
    512
    """

    features: int

    def __init__(self, encoder: nn.Module, *, tail: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.tail = tail
        self.features = cast("int", tail.features)

    def forward(self, image: Image) -> Float[Tensor, "batch features ..."]:
        """Return what the tail makes of the encoder's features."""
        return self.tail(self.encoder(image))
