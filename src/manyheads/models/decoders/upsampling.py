"""The decoder of the Taskonomy networks: five times twice as large."""

from jaxtyping import Float
from torch import Tensor, nn

_WIDTHS = (256, 128, 64, 48, 32)  # channels after each enlargement


class UpsamplingDecoder(nn.Module):
    """Five transposed convolutions 2×2 with stride 2, each followed by a 3×3 convolution; from stride 32 to the image.

    Batch-norm and ReLU follow every convolution but the last, which gives the answer: with 512 features
    512 → 256 → 128 → 64 → 48 → 32 → `channels`. All convolutions have a bias, which makes 1,504,512 + 289 per channel
    of the answer.

    Args:
        features: channels of the map that it reads.
        channels: of the answer.

    Reference: Mao et al., ECCV 2020, the decoders for Taskonomy; widths, biases and the bare last layer are those that
    their parameter count of 1.505 million implies. Initialised as torch does by default.
    """

    def __init__(self, features: int, *, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((features, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.ConvTranspose2d(before, after, 2, stride=2), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-3], nn.Conv2d(_WIDTHS[-1], channels, 3, padding=1))

    def forward(
        self, features: Float[Tensor, "batch features map_height map_width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the answer, 32 times as high and wide as the map."""
        return self.layers(features)
