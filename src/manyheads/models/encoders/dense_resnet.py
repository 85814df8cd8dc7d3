"""ResNet-18 as the encoder of dense tasks: the stem for large images, and a map instead of one vector."""

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.resnet import BasicBlock
from manyheads.models.encoders.stride import check_sides
from manyheads.types import Image


class DenseResNet18(nn.Module):
    """The residual network with 18 layers, without its pooling and classifier; 512 channels at a stride of 32 pixels.

    conv 7×7 stride 2, batch-norm, ReLU, max-pool 3×3 stride 2; then four stages of two basic blocks, `width`, 2, 4 and
    8 times `width` channels wide, each after the first halving the map. 11,176,512 parameters at the usual width.

    Args:
        channels: of the image.
        width: channels of the first stage; 64 is the usual one.

    Reference: He et al., CVPR 2016, table 1; the encoder of Mao et al., ECCV 2020, for Taskonomy. Initialised as torch
    does by default.
    """

    stride: int = 32
    features: int

    def __init__(self, channels: int = 3, *, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        blocks: list[nn.Module] = []
        before = width
        for stage in range(4):
            after = width * 2**stage
            blocks.append(BasicBlock(before=before, after=after, stride=2 if stage else 1))
            blocks.append(BasicBlock(before=after, after=after, stride=1))
            before = after
        self.blocks = nn.Sequential(*blocks)
        self.features = before

    def forward(self, image: Image) -> Float[Tensor, "batch features map_height map_width"]:
        """Return the feature map, a 32nd of the image's height and width.

        Raises:
            ValueError: if a side of the image is no multiple of 32.
        """
        check_sides(image, stride=self.stride)
        return self.blocks(self.stem(image))
