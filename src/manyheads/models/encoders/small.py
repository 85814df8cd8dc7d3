"""Encoders that train in seconds to minutes on a processor; this project's own."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.image_size import check_size
from manyheads.models.encoders.resnet import residual_layers
from manyheads.types import Image


class SmallConvNet(nn.Module):
    """Two convolutions and a linear layer, for digits of 8 × 8 pixels.

    conv 3×3 → 16, ReLU; conv 3×3 → 32, ReLU, max-pool 2; linear → 128, ReLU.

    Args:
        channels: of the image.
        size: height and width of the image in pixels, at least 2.

    Raises:
        ValueError: if the image is too small to be pooled.
    """

    features: int = 128

    def __init__(self, channels: int = 1, *, size: int = 8) -> None:
        super().__init__()
        if size < 2:
            raise ValueError(f"SmallConvNet halves the image once, so it needs at least 2 pixels a side, got {size}")
        self.size = size
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * (size // 2) ** 2, self.features),
            nn.ReLU(),
        )

    def forward(self, image: Image) -> Float[Tensor, "batch features"]:
        """Return 128 features per image.

        Raises:
            ValueError: if the image is not of the size that this network was built for.
        """
        check_size(image, size=self.size)
        return self.layers(image)


class SmallResNet(nn.Module):
    """Three stages of basic residual blocks, for images of about 32 pixels on a processor.

    The stages are `width`, 2 and 4 times `width` channels wide, then comes the mean over the image.

    Args:
        channels: of the image.
        width: channels of the first stage; 16 gives 64 features.
        blocks: number of basic blocks per stage.
        stem_stride: by how much the first convolution shrinks the image; 2 is about five times faster than 1.
    """

    features: int

    def __init__(self, channels: int = 3, *, width: int = 16, blocks: int = 1, stem_stride: int = 2) -> None:
        super().__init__()
        widths = [width * 2**stage for stage in range(3)]
        self.features = widths[-1]
        self.layers = residual_layers(channels=channels, widths=widths, blocks=[blocks] * 3, stem_stride=stem_stride)

    def forward(self, image: Image) -> Float[Tensor, "batch features"]:
        """Return the features of each image, of any size."""
        return self.layers(image)
