"""Texture of an image: edges and interest points of its brightness, as far as they need no depth."""

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.tasks.smoothing import convolve, gaussian
from manyheads.types import Image

EDGE_CLIP = 0.08
"""Root mean square of the two derivatives, in brightness per pixel, that makes a full texture edge."""

KEYPOINT_CLIP = 0.005
"""Determinant of the scale-normalised Hessian that makes a full key point."""

_LUMA = (0.299, 0.587, 0.114)
_SMOOTH, _DERIVATIVE = (0.25, 0.5, 0.25), (-0.5, 0.0, 0.5)
_SCALES = (1.2, 2.4)


def brightness_of(image: Image) -> Float[Tensor, "batch 1 height width"]:
    """Brightness in [0, 1]: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), or the image itself if it is grey.

    Raises:
        ValueError: if the image has neither one nor three channels.
    """
    if image.shape[1] == 1:
        return image
    if image.shape[1] != 3:
        raise ValueError(f"brightness is that of an image of 1 or 3 channels, got {image.shape[1]}")
    return (image * image.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)


def texture_edges_of(
    image: Image, *, sigma: float = 1.0, clip: float = EDGE_CLIP
) -> Float[Tensor, "batch 1 height width"]:
    """Strength in [0, 1] of the edges in brightness: the first half of Canny's detector, before edges are thinned.

    min(1, √((gx² + gy²) / 2) / clip), with gx and gy the Sobel derivatives (weights ¼ ½ ¼ and −½ 0 ½) of the brightness
    after a Gaussian: in brightness per pixel, half of what `skimage.filters.sobel` gives.

    Args:
        image: in [0, 1].
        sigma: the Gaussian's standard deviation in pixels.
        clip: the magnitude that counts as 1.

    Reference: Canny, PAMI 1986; "edge texture" of Zamir et al., CVPR 2018, without non-maximum suppression as there.
    The clip is that of Mao et al.'s released code, there in Taskonomy's units.
    """
    smooth = gaussian(brightness_of(image), sigma=sigma)
    weights, derivative = smooth.new_tensor(_SMOOTH), smooth.new_tensor(_DERIVATIVE)
    across = convolve(smooth, down=weights, across=derivative)
    down = convolve(smooth, down=derivative, across=weights)
    return (((across.square() + down.square()) / 2).sqrt() / clip).clamp(max=1)


def keypoints2d_of(
    image: Image, *, scales: tuple[float, ...] = _SCALES, clip: float = KEYPOINT_CLIP
) -> Float[Tensor, "batch 1 height width"]:
    """Strength in [0, 1] of blobs, corners and crossings in brightness: the determinant of the Hessian, as in SURF.

    min(1, max over σ of |σ⁴ (Lxx Lyy − Lxy²)| / clip), with L the brightness after a Gaussian of standard deviation σ.
    A blob in the form of a Gaussian of width σ and height h in brightness has h² / 16 in its middle.

    Args:
        image: in [0, 1].
        scales: the values of σ, in pixels.
        clip: the determinant that counts as 1.

    Reference: Bay et al., ECCV 2006; "keypoints 2D" of Zamir et al., CVPR 2018. Differs from it in: Gaussian
    derivatives in place of box filters; saddles, such as where two edges cross, count like blobs (Beaudet, ICPR 1978).
    The clip is that of Mao et al.'s released code, there in Taskonomy's units.
    """
    brightness = brightness_of(image)
    strengths = []
    for sigma in scales:
        down, across, mixed = (gaussian(brightness, sigma=sigma, order=order) for order in ((2, 0), (0, 2), (1, 1)))
        strengths.append((down * across - mixed.square()).abs() * sigma**4)
    return (torch.stack(strengths).amax(0) / clip).clamp(max=1)
