"""AlexNet for images of 112 × 112 pixels."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.image_size import check_size
from manyheads.types import Image


class AlexNet(nn.Module):
    """Five convolutions and two linear layers, for images half as large as AlexNet's own.

    conv 11×11 stride 4 → 64, ReLU, max-pool 3 stride 2; conv 5×5 → 192, ReLU, max-pool 3 stride 2;
    conv 3×3 → 384, ReLU; conv 3×3 → 256, ReLU; conv 3×3 → 256, ReLU; linear → 4096, ReLU; linear → 4096, ReLU.

    Args:
        channels: of the image.
        hidden: width of the linear layers, which is the number of features.

    Reference: Krizhevsky, "One weird trick", 2014. Hyun & Park, IEEE Access 2024, name AlexNet at 112 × 112 but no
    layers; these are this project's choice. Differs from the original in: the last max-pooling is left out, so that an
    image of 112 pixels reaches the linear layers with the 256 × 6 × 6 numbers that one of 224 pixels has there, and
    every layer keeps its size; there is no dropout, whose draws would make an example depend on its batch.
    """

    size: int = 112
    features: int

    def __init__(self, channels: int = 3, *, hidden: int = 4096) -> None:
        super().__init__()
        self.features = hidden
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(256 * 6 * 6, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )

    def forward(self, image: Image) -> Float[Tensor, "batch features"]:
        """Return the features of each image.

        Raises:
            ValueError: if the image is not 112 × 112 pixels.
        """
        check_size(image, size=self.size)
        return self.layers(image)
