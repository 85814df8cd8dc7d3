"""What Taskonomy's files hold, pixel by pixel: the numbers in them and what they mean."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from manyheads.data.errors import wrong
from manyheads.data.frame_files import EIGHT_BITS, SIXTEEN_BITS, Size, nearest, read_numbers, read_picture, smooth

ORIGIN = "github.com/StanfordVL/taskonomy (the data set's page, with its splits)"
"""Where to get the data set."""

CLASSES = 17
"""Files have 1 to 17 for them, 0 where the class is uncertain."""

DEPTH_UNIT = 1 / 512
"""Metres per step of both depths (the data set's page)."""

FARTHEST = 64500
"""Depths from here on, in steps, are no measurement: nothing was scanned there (the authors' loaders)."""

FULL_SCALE = {"texture_edges": 0.08, "occlusion_edges": 0.00625, "keypoints2d": 0.005, "keypoints3d": 1.0}
"""The share of the files' 16 bits that becomes 1; what is above is 1 as well (the authors' and the paper's loaders)."""

FLAT = 127
"""The number of curvature zero; steps from there are 1/127 of a full scale that the authors do not tell in 1/m."""


def log_depth(depth: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Depth as the paper's networks learn it, from 0 to 1: log(1 + steps) / log(2¹⁶), NaN where unknown.

    Args:
        depth: metres.

    >>> [round(float(value), 3) for value in log_depth(torch.tensor([0.0, 1.0, 128.0]))]
    [0.0, 0.563, 1.0]
    """
    return (depth / DEPTH_UNIT).log1p() / (16 * math.log(2))


def unknown_depth(path: Path, *, old: Size, new: Size) -> Bool[Tensor, "height width"]:
    """Tell where a file of depths has none: nothing was scanned there, and no annotation of shape means anything."""
    return _depth(path, old=old, new=new).isnan()[0]


def _depth(path: Path, *, old: Size, new: Size) -> Float32[Tensor, "1 height width"]:
    steps = nearest(read_numbers(path, modes=SIXTEEN_BITS, size=old, origin=ORIGIN), size=new)
    return torch.where((steps > 0) & (steps < FARTHEST), steps * DEPTH_UNIT, torch.nan)[None]


def _segmentation(path: Path, *, old: Size, new: Size) -> Int64[Tensor, "height width"]:
    numbers = read_numbers(path, modes=EIGHT_BITS, size=old, origin=ORIGIN)
    if int(numbers.max()) > CLASSES:
        raise wrong(path, wanted=f"numbers 0 to {CLASSES}", found=f"up to {int(numbers.max())}", origin=ORIGIN)
    return nearest(numbers, size=new).long() - 1


def _heat(path: Path, *, old: Size, new: Size, full_scale: float) -> Float32[Tensor, "1 height width"]:
    """Heat maps are averaged, as the paper does: single pixels would lose thin lines."""
    numbers = read_numbers(path, modes=SIXTEEN_BITS, size=old, origin=ORIGIN)
    return smooth((numbers / (65535 * full_scale)).clamp(max=1)[None], size=new)


def _normal(path: Path, *, old: Size, new: Size) -> Float32[Tensor, "3 height width"]:
    """Files have x to the right, y down and z towards the camera, from -1 to 1 in 0 to 255; ours has z forward."""
    vector = _colours(path, old=old, new=new) / 127.5 - 1
    length = vector.norm(dim=0, keepdim=True)
    turned = vector * torch.tensor([1.0, 1.0, -1.0])[:, None, None]
    return torch.where(length > 0.5, turned / length, torch.nan)


def _curvature(path: Path, *, old: Size, new: Size) -> Float32[Tensor, "2 height width"]:
    return ((_colours(path, old=old, new=new)[:2] - FLAT) / FLAT).sort(dim=0, descending=True).values


def _reshading(path: Path, *, old: Size, new: Size) -> Float32[Tensor, "1 height width"]:
    return _colours(path, old=old, new=new).mean(0, keepdim=True) / 255


def _colours(path: Path, *, old: Size, new: Size) -> Float32[Tensor, "3 height width"]:
    picture = read_picture(path, size=None)
    if picture.file_size != old:
        found = "×".join(map(str, picture.file_size))
        raise wrong(path, wanted=f"the size of its image, {old[0]}×{old[1]}", found=found, origin=ORIGIN)
    return nearest(picture.image, size=new).float()


DECODERS: Mapping[str, Callable[..., Tensor]] = {
    "segmentation": _segmentation,
    "depth": _depth,
    "euclidean_depth": _depth,
    "normal": _normal,
    "curvature": _curvature,
    "reshading": _reshading,
    **{name: partial(_heat, full_scale=full_scale) for name, full_scale in FULL_SCALE.items()},
}
"""For every annotation what decodes its file, given the path, the size the file must have and the one to resize to."""

MASKED = frozenset({"normal", "curvature", "reshading", "occlusion_edges", "keypoints3d"})
"""Annotations of shape: unknown where nothing was scanned, which a file of depths tells."""
