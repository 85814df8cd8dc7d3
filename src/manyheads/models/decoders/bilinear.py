"""Decoders that read a coarse map pixel by pixel and enlarge the answer."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class BilinearUpsampling(nn.Module):
    """A transposed convolution that interpolates linearly along rows and columns; its weights are fixed.

    Every channel is convolved with one kernel of 2 `scale` × 2 `scale` weights, `(1 − |u|)(1 − |v|)`, where u and v are
    the distances to the kernel's centre in pixels of the coarse map. Beyond the map lie zeros, so the answer fades in
    the outer half of the map's outermost pixels. The kernel is a buffer: it is neither trained, nor counted as a
    parameter, nor written with the weights.

    Args:
        scale: by how much height and width grow; even, at least 2.

    Raises:
        ValueError: if the scale is odd or below 2.

    Reference: Long, Shelhamer & Darrell, CVPR 2015, section 3.3; the last layer of Yu et al.'s segmentation networks.
    Differs from their released code in: that keeps a copy of the kernel per channel as frozen parameters, 256 per
    channel at scale 8.
    """

    kernel: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        if scale < 2 or scale % 2:
            raise ValueError(f"the scale must be an even number from 2 on, got {scale}")
        self.scale = scale
        distance = (torch.arange(2 * scale) - (2 * scale - 1) / 2).abs() / scale
        self.register_buffer("kernel", torch.outer(1 - distance, 1 - distance), persistent=False)

    def forward(
        self, coarse: Float[Tensor, "batch channels map_height map_width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return a map that is `scale` times higher and wider."""
        channels = coarse.shape[1]
        kernel = self.kernel.expand(channels, 1, -1, -1)
        return nn.functional.conv_transpose2d(
            coarse, kernel, stride=self.scale, padding=self.scale // 2, groups=channels
        )


class PixelDecoder(nn.Module):
    """One 1×1 convolution, then fixed bilinear upsampling: the lightest head of a dense task.

    Args:
        features: channels of the map that it reads.
        channels: of the answer.
        scale: the map's stride, by which the answer is enlarged to the image's size.

    Reference: the segmentation networks of Yu, Koltun & Funkhouser, CVPR 2017. Differs from them in: torch's default
    initialisation.
    """

    def __init__(self, features: int, *, channels: int, scale: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(features, channels, 1), BilinearUpsampling(scale))

    def forward(
        self, features: Float[Tensor, "batch features map_height map_width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the answer at the image's size."""
        return self.layers(features)
