"""Residual networks for small images: 3×3 stem, no max-pooling."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.types import Image


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch-norm, added to their input; the input passes a 1×1 one where shapes differ.

    Args:
        before: channels of the input.
        after: channels of the output.
        stride: by how much the first convolution shrinks the image.
        dilation: how many pixels apart a kernel's taps are, in both convolutions.

    Reference: He et al., CVPR 2016, figure 5 left, with projection shortcuts (option B).
    """

    def __init__(self, *, before: int, after: int, stride: int, dilation: int = 1) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=stride, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))
        self.relu = nn.ReLU()

    def forward(
        self, image: Float[Tensor, "batch before height width"]
    ) -> Float[Tensor, "batch after height_after width_after"]:
        """Return the sum of path and shortcut, rectified."""
        return self.relu(self.path(image) + self.shortcut(image))


def residual_layers(
    *, channels: int, widths: Sequence[int], blocks: Sequence[int], stem_stride: int = 1
) -> nn.Sequential:
    """Build stem, stages of basic blocks and global average pooling; each stage after the first halves the image.

    Args:
        channels: of the image.
        widths: channels of each stage.
        blocks: number of blocks of each stage.
        stem_stride: by how much the first convolution shrinks the image.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(channels, widths[0], 3, stride=stem_stride, padding=1, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
    ]
    before = widths[0]
    for stage, (after, count) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(BasicBlock(before=before, after=after, stride=stride))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class ResNet18(nn.Module):
    """The residual network with 18 layers, for images of about 32 pixels: 3×3 stem, no max-pooling.

    Four stages of two basic blocks, `width`, 2, 4 and 8 times `width` channels wide, then the mean over the image.

    Args:
        channels: of the image.
        width: channels of the first stage; 64 is the usual one, with 512 features.

    Reference: He et al., CVPR 2016, the 18-layer network with the stem that is usual for CIFAR-10. Initialised as torch
    does by default.
    """

    features: int

    def __init__(self, channels: int = 3, *, width: int = 64) -> None:
        super().__init__()
        widths = [width * 2**stage for stage in range(4)]
        self.features = widths[-1]
        self.layers = residual_layers(channels=channels, widths=widths, blocks=(2, 2, 2, 2))

    def forward(self, image: Image) -> Float[Tensor, "batch features"]:
        """Return the features of each image, of any size."""
        return self.layers(image)
