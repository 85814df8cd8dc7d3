"""The decoder that goes with small encoders; this project's own."""

from jaxtyping import Float
from torch import Tensor, nn


class SmallDecoder(nn.Module):
    """Two 3×3 convolutions with batch-norm and ReLU, then the answer at four times the map's height and width.

    A 1×1 convolution gives four answers per place of the map, laid out as 2 × 2 pixels, and these are enlarged twice
    bilinearly: sharper than enlarging one answer four times, and without the blocks of laying out sixteen.
    With 48 features it has 23,168 + 132 parameters per channel of the answer.

    Args:
        features: channels of the map that it reads.
        channels: of the answer.
        width: channels in between.
    """

    def __init__(self, features: int, *, channels: int, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(features, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 4 * channels, 1),
            nn.PixelShuffle(2),
            nn.Upsample(scale_factor=2, mode="bilinear"),
        )

    def forward(
        self, features: Float[Tensor, "batch features map_height map_width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the answer, 4 times as high and wide as the map."""
        return self.layers(features)
