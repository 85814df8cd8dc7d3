"""The decoder of dilated residual networks: their last layers, owned by one task."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.decoders.bilinear import PixelDecoder
from manyheads.models.encoders.dilated import DilatedTail


class DilatedDecoder(nn.Module):
    """Layers 6 to 8 of a dilated residual network, a 1×1 convolution and fixed bilinear upsampling by 8.

    Args:
        channels: of the answer.
        depth: that of the encoder, 22 or 105.
        width: that of the encoder.

    Raises:
        ValueError: if there is no network of this depth.

    Reference: Mao et al., ECCV 2020, whose text gives each task a decoder of its own. In their released code all tasks
    share layers 6 to 8; for that see `Tailed` and `shared_tail_heads`.
    """

    def __init__(self, *, channels: int, depth: int = 22, width: int = 16) -> None:
        super().__init__()
        self.tail = DilatedTail(depth=depth, width=width)
        self.answer = PixelDecoder(self.tail.features, channels=channels)

    def forward(
        self, features: Float[Tensor, "batch features map_height map_width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the answer at the image's size."""
        return self.answer(self.tail(features))
