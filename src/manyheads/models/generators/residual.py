"""The residual generator, cut in two: an encoder, which several tasks can share, and a decoder."""

from typing import Protocol, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manyheads.types import Image


@runtime_checkable
class NormMaker(Protocol):
    """What makes a normalisation layer: `instance_norm`, or a class such as `torch.nn.BatchNorm2d`."""

    def __call__(self, channels: int, /) -> nn.Module:
        """Make a layer for a map of so many channels."""
        ...


def instance_norm(channels: int) -> nn.Module:
    """Make a layer that normalises each channel of each image by itself, then scales and shifts the channel.

    Unlike batch normalisation it does the same in training as later, whatever images stand in the batch: tasks that
    share an encoder, but not their images, do not blur each other's statistics.

    Args:
        channels: of the map.

    Reference: Ulyanov, Vedaldi & Lempitsky, arXiv 1607.08022. As a group per channel it is computed several times
    faster than as torch's own layer of that name.
    """
    return nn.GroupNorm(channels, channels)


class GeneratorEncoder(nn.Module):
    """A 7×7 convolution, two 3×3 ones with stride 2, and residual blocks; 4 `width` channels at a stride of 4 pixels.

    3 → `width` → 2 `width` → 4 `width` channels, each convolution followed by its norm and ReLU and without a bias; the
    first one and the blocks reflect the map at its border. Any image from 5×5 pixels on will do: the map is a quarter
    of its sides, rounded up.

    Args:
        channels: of the image.
        width: channels of the first convolution. The paper does not tell; 20 gives the sizes of its table 7.
        blocks: how many residual blocks there are. The paper has 6 for Office-31, and for NYUv2 4 (universal) or 10
            (per instance).
        norm: makes the normalisation layers.

    Raises:
        ValueError: if the number of blocks is negative, or the width below 1.

    Reference: Guo et al. 2020 (MTA), section 3.1; the generator is that of Zhu et al., ICCV 2017, there after
    Johnson et al., ECCV 2016. Initialised as torch does by default.
    """

    stride: int = 4
    features: int
    channels: int

    def __init__(self, channels: int = 3, *, width: int = 20, blocks: int = 6, norm: NormMaker = instance_norm) -> None:
        super().__init__()
        if width < 1 or blocks < 0:
            raise ValueError(f"a generator has a width of 1 or more and no negative blocks, got {width=}, {blocks=}")
        self.channels = channels
        self.features = 4 * width
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 7, padding=3, padding_mode="reflect", bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            norm(2 * width),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1, bias=False),
            norm(4 * width),
            nn.ReLU(inplace=True),
            *(_Block(4 * width, norm=norm) for _ in range(blocks)),
        )

    def forward(self, image: Image) -> Float[Tensor, "batch features map_height map_width"]:
        """Return the map that decoders read.

        Raises:
            ValueError: if the image is smaller than 5×5 pixels.
        """
        height, width = image.shape[2:]
        if min(height, width) < 5:
            raise ValueError(f"a generator needs images of at least 5×5 pixels, got {height}×{width}; enlarge them")
        return self.layers(image.contiguous(memory_format=torch.channels_last))  # several times faster on a processor


class GeneratorDecoder(nn.Module):
    """Two 3×3 transposed convolutions with stride 2, each with norm and ReLU; a 7×7 convolution; tanh.

    4 `width` → 2 `width` → `width` → `channels`; the last convolution reflects the map at its border and has a bias.
    The result lies in [-1, 1], far beyond any budget: scaling it down is the attack's part.

    Args:
        channels: of the image.
        width: that of the encoder.
        norm: makes the normalisation layers.

    Reference: Guo et al. 2020 (MTA), section 3.1, which does not mention the tanh; the generator that it takes over
    (Zhu et al., ICCV 2017) ends in one. Initialised as torch does by default.
    """

    def __init__(self, channels: int = 3, *, width: int = 20, norm: NormMaker = instance_norm) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1, bias=False),
            norm(2 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            _WideConvolution(width, channels),
            nn.Tanh(),
        )

    def forward(
        self, features: Float[Tensor, "batch features map_height map_width"], *, size: tuple[int, int]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the perturbation of an image of this size.

        Args:
            features: what the encoder made of the image.
            size: height and width of the image; of what is beyond it right and below, up to 3 pixels, nothing remains.

        Raises:
            ValueError: if an image of this size has another map.
        """
        map_size = tuple(features.shape[2:])
        if tuple(-(-side // 4) for side in size) != map_size:
            raise ValueError(
                f"a map of {map_size[0]}×{map_size[1]} is none of an image of {size[0]}×{size[1]}; "
                "give the size of the image that the encoder saw"
            )
        return self.layers(features)[:, :, : size[0], : size[1]].contiguous()


class _WideConvolution(nn.Module):
    """A 7×7 convolution that reflects the map at its border, computed two columns of the kernel at a time.

    Processors are slow at convolutions to a handful of channels. So each pair of the kernel's columns (of the last one
    and zeros) gives channels of its own, in one convolution, and these are moved to their place and added: the same sum
    in another order.
    """

    def __init__(self, features: int, channels: int) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(features, channels, 7)  # never called as such: it holds weights and bias

    def forward(
        self, features: Float[Tensor, "batch features height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the convolved map."""
        width, channels = features.shape[3], self.kernel.out_channels
        padded = nn.functional.pad(features, (3, 4, 3, 3), mode="reflect")  # the zeros' column is to the right
        columns = nn.functional.pad(self.kernel.weight, (0, 1)).unflatten(3, (4, 2))
        weight = columns.permute(3, 0, 1, 2, 4).flatten(0, 1)
        bias = nn.functional.pad(cast("Tensor", self.kernel.bias), (0, 3 * channels))
        first, *others = nn.functional.conv2d(padded, weight, bias).split(channels, dim=1)
        moved = [part[..., 2 * pair : 2 * pair + width] for pair, part in enumerate(others, start=1)]
        return sum(moved, start=first[..., :width])


class _Block(nn.Module):
    """Two 3×3 convolutions with norms and a ReLU in between, added to their input."""

    def __init__(self, features: int, *, norm: NormMaker) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1, padding_mode="reflect", bias=False),
            norm(features),
            nn.ReLU(inplace=True),
            nn.Conv2d(features, features, 3, padding=1, padding_mode="reflect", bias=False),
            norm(features),
        )

    def forward(
        self, features: Float[Tensor, "batch features map_height map_width"]
    ) -> Float[Tensor, "batch features map_height map_width"]:
        """Return the sum of the path and its input."""
        return features + self.path(features)
