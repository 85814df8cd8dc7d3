"""The LeNet of Madry et al. for digits."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.image_size import check_size
from manyheads.types import Image


class LeNet(nn.Module):
    """Two convolutions with max-pooling and one linear layer.

    conv 5×5 → 32, ReLU, max-pool 2; conv 5×5 → 64, ReLU, max-pool 2; linear → 1024, ReLU.

    Args:
        channels: of the image.
        size: height and width of the image in pixels, at least 4; 28 for MNIST, 32 for SVHN.

    Raises:
        ValueError: if the image is too small to be pooled twice.

    Reference: Madry et al., ICLR 2018, the MNIST network; Hyun & Park's released code. Differs from Madry's in: torch's
    default initialisation.
    """

    features: int = 1024

    def __init__(self, channels: int = 1, *, size: int = 28) -> None:
        super().__init__()
        if size < 4:
            raise ValueError(f"LeNet halves the image twice, so it needs at least 4 pixels a side, got {size}")
        self.size = size
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 32, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * (size // 4) ** 2, self.features),
            nn.ReLU(),
        )

    def forward(self, image: Image) -> Float[Tensor, "batch features"]:
        """Return 1024 features per image.

        Raises:
            ValueError: if the image is not of the size that this network was built for.
        """
        check_size(image, size=self.size)
        return self.layers(image)
