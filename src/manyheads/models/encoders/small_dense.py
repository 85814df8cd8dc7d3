"""The encoder of dense tasks that trains in minutes on a processor; this project's own."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.resnet import BasicBlock
from manyheads.models.encoders.stride import check_sides
from manyheads.types import Image


class SmallDenseNet(nn.Module):
    """A dilated residual network of 303,320 parameters; 48 channels at a stride of 4 pixels.

    conv 5×5 stride 2 → 24, batch-norm, ReLU; basic block stride 2 → 32; basic block stride 2 → 64; three blocks with
    dilation 1, 2 and 4, so that each place sees an image of 64 × 96 pixels as a whole. The coarse map is enlarged
    bilinearly and added to the fine one that went into it, both by 1×1 convolutions → 48; batch-norm, ReLU.

    Args:
        channels: of the image.
    """

    stride: int = 4
    features: int = 48

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            nn.Conv2d(channels, 24, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            BasicBlock(before=24, after=32, stride=2),
        )
        self.coarse = nn.Sequential(
            BasicBlock(before=32, after=64, stride=2),
            BasicBlock(before=64, after=64, stride=1),
            BasicBlock(before=64, after=64, stride=1, dilation=2),
            BasicBlock(before=64, after=64, stride=1, dilation=4),
        )
        self.from_fine = nn.Conv2d(32, self.features, 1, bias=False)
        self.from_coarse = nn.Sequential(
            nn.Conv2d(64, self.features, 1, bias=False), nn.Upsample(scale_factor=2, mode="bilinear")
        )
        self.joined = nn.Sequential(nn.BatchNorm2d(self.features), nn.ReLU())

    def forward(self, image: Image) -> Float[Tensor, "batch features map_height map_width"]:
        """Return the feature map, a quarter of the image's height and width.

        Raises:
            ValueError: if a side of the image is no multiple of 8, the stride of the coarse map inside.
        """
        check_sides(image, stride=8)
        fine = self.fine(image)
        return self.joined(self.from_fine(fine) + self.from_coarse(self.coarse(fine)))
