"""Dilated residual networks, cut in two: the encoder, and the tail that decoders own or share."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.encoders.resnet import BasicBlock
from manyheads.models.encoders.stride import check_sides
from manyheads.types import Image


class Bottleneck(nn.Module):
    """Convolutions 1×1, 3×3 and 1×1 with batch-norm, added to their input; it passes a 1×1 one where shapes differ.

    Args:
        before: channels of the input.
        after: channels of the output, four times those of the 3×3 convolution.
        stride: by how much the 3×3 convolution shrinks the image.
        dilation: how many pixels apart its taps are.

    Reference: He et al., CVPR 2016, figure 5 right, with the stride in the 3×3 convolution.
    """

    def __init__(self, *, before: int, after: int, stride: int, dilation: int = 1) -> None:
        super().__init__()
        narrow = after // 4
        self.path = nn.Sequential(
            nn.Conv2d(before, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, narrow, 3, stride=stride, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, after, 1, bias=False),
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


class DilatedResNet(nn.Module):
    """Layers 0 to 5 of a dilated residual network of type D; a map at a stride of 8 pixels.

    conv 7×7 → `width`; conv 3×3 → `width`; conv 3×3 stride 2 → 2 `width`, each with batch-norm and ReLU; two stages of
    residual blocks that halve the map; and one that keeps it, with dilation 2. DRN-D-22 returns 256 channels, DRN-D-105
    1024.

    Args:
        channels: of the image.
        depth: 22 (basic blocks) or 105 (bottlenecks).
        width: channels of the first layer; 16 is the usual one.

    Raises:
        ValueError: if there is no network of this depth.

    Reference: Yu, Koltun & Funkhouser, CVPR 2017; Mao et al., ECCV 2020, take layers 0 to 5 as encoder. Differs from
    it in: torch's default initialisation.
    """

    stride: int = 8
    features: int

    def __init__(self, channels: int = 3, *, depth: int = 22, width: int = 16) -> None:
        super().__init__()
        design = _design(depth)
        third, fourth, fifth = (design.expansion * width * 2**stage for stage in (2, 3, 4))
        self.layers = nn.Sequential(
            *_convolution(before=channels, after=width, kernel=7),
            *_convolution(before=width, after=width),
            *_convolution(before=width, after=2 * width, stride=2),
            *design.stage(design.blocks[0], before=2 * width, after=third, stride=2),
            *design.stage(design.blocks[1], before=third, after=fourth, stride=2),
            *design.stage(design.blocks[2], before=fourth, after=fifth, dilation=2),
        )
        self.features = fifth

    def forward(self, image: Image) -> Float[Tensor, "batch features map_height map_width"]:
        """Return the feature map, an eighth of the image's height and width.

        Raises:
            ValueError: if a side of the image is no multiple of 8.
        """
        check_sides(image, stride=self.stride)
        return self.layers(image)


class DilatedTail(nn.Module):
    """Layers 6 to 8 of a dilated residual network of type D, from its encoder's map to 512 channels of the same size.

    Residual blocks with dilation 4; conv 3×3 with dilation 2; conv 3×3, both with batch-norm and ReLU: the falling
    dilation takes out the grid that the blocks leave.

    Args:
        depth: that of the encoder, 22 or 105.
        width: that of the encoder; the tail returns 32 times as many channels.

    Raises:
        ValueError: if there is no network of this depth.

    Reference: as for `DilatedResNet`.
    """

    features: int

    def __init__(self, *, depth: int = 22, width: int = 16) -> None:
        super().__init__()
        design = _design(depth)
        self.features = 32 * width
        before, after = (design.expansion * width * 2**stage for stage in (4, 5))
        self.layers = nn.Sequential(
            *design.stage(design.blocks[3], before=before, after=after, dilation=4),
            *_convolution(before=after, after=self.features, dilation=2),
            *_convolution(before=self.features, after=self.features),
        )

    def forward(
        self, features: Float[Tensor, "batch before height width"]
    ) -> Float[Tensor, "batch features height width"]:
        """Return the map that one 1×1 convolution can read."""
        return self.layers(features)


@dataclass(frozen=True)
class _Design:
    """What a depth stands for: the kind of block, how much wider it makes a stage, and the blocks of layers 3 to 6."""

    block: type[BasicBlock | Bottleneck]
    expansion: int
    blocks: tuple[int, int, int, int]

    def stage(self, count: int, *, before: int, after: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
        first = self.block(before=before, after=after, stride=stride, dilation=dilation)
        rest = [self.block(before=after, after=after, stride=1, dilation=dilation) for _ in range(count - 1)]
        return [first, *rest]


_DESIGNS = {22: _Design(BasicBlock, 1, (2, 2, 2, 2)), 105: _Design(Bottleneck, 4, (3, 4, 23, 3))}


def _design(depth: int) -> _Design:
    if depth not in _DESIGNS:
        raise ValueError(f"a dilated ResNet's depth is {' or '.join(map(str, _DESIGNS))}, got {depth}")
    return _DESIGNS[depth]


def _convolution(*, before: int, after: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    padding = kernel // 2 * dilation
    return [
        nn.Conv2d(before, after, kernel, stride=stride, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    ]
