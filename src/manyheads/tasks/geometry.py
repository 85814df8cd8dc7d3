"""Geometry of an RGB-D frame: what depth and intrinsics determine at each pixel.

Depth is measured along the optical axis (z-buffer), in metres, NaN where unknown. `intrinsics` are fx, fy, cx, cy in
pixels, with pixel centres at whole numbers. The camera's frame has x to the right, y down and z forward. Below,
(x, y) = ((u − cx) / fx, (v − cy) / fy) are the normalised coordinates of the pixel in column u and row v.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.deferral import examine
from manyheads.tasks.neighbourhood import Neighbourhood

WINDOW = 5
"""Side, in pixels, of the windows in which planes are fitted, unless another is asked for."""

SLANT = 80.0
"""Tilt against the image, in degrees, beyond which a surface is taken to end."""


def rays(intrinsics: Float[Tensor, "batch 4"], *, size: tuple[int, int]) -> Float[Tensor, "batch 3 height width"]:
    """Points one metre forward on each pixel's line of sight: (x, y, 1).

    Args:
        intrinsics: fx, fy, cx, cy in pixels.
        size: height and width in pixels.
    """
    height, width = size
    focal_x, focal_y, centre_x, centre_y = (part[:, None, None] for part in intrinsics.unbind(1))
    across = (torch.arange(width, device=intrinsics.device) - centre_x) / focal_x
    down = (torch.arange(height, device=intrinsics.device)[:, None] - centre_y) / focal_y
    ahead = torch.ones(len(intrinsics), height, width, dtype=intrinsics.dtype, device=intrinsics.device)
    return torch.stack([across.expand_as(ahead), down.expand_as(ahead), ahead], dim=1)


def points_of(
    depth: Float[Tensor, "batch 1 height width"], *, intrinsics: Float[Tensor, "batch 4"]
) -> Float[Tensor, "batch 3 height width"]:
    """Points of the scene in the camera's frame, in metres: depth · (x, y, 1).

    Args:
        depth: in metres, NaN where unknown (those points are NaN).
        intrinsics: fx, fy, cx, cy in pixels.
    """
    return depth * rays(intrinsics, size=_size(depth))


def euclidean_depth_of(
    depth: Float[Tensor, "batch 1 height width"], *, intrinsics: Float[Tensor, "batch 4"]
) -> Float[Tensor, "batch 1 height width"]:
    """Distance from the camera in metres: depth · √(x² + y² + 1).

    Args:
        depth: along the optical axis, in metres, NaN where unknown.
        intrinsics: fx, fy, cx, cy in pixels.
    """
    return depth * rays(intrinsics, size=_size(depth)).norm(dim=1, keepdim=True)


def depth_of(
    euclidean_depth: Float[Tensor, "batch 1 height width"], *, intrinsics: Float[Tensor, "batch 4"]
) -> Float[Tensor, "batch 1 height width"]:
    """Depth along the optical axis in metres, from the distance from the camera: the inverse of `euclidean_depth_of`.

    Args:
        euclidean_depth: in metres, NaN where unknown.
        intrinsics: fx, fy, cx, cy in pixels.
    """
    return euclidean_depth / rays(intrinsics, size=_size(euclidean_depth)).norm(dim=1, keepdim=True)


def normals_of(
    depth: Float[Tensor, "batch 1 height width"],
    *,
    intrinsics: Float[Tensor, "batch 4"],
    window: int = WINDOW,
    slant: float = SLANT,
) -> Float[Tensor, "batch 3 height width"]:
    """Directions of length one that the visible surfaces face, in the camera's frame: those towards the camera's side.

    A plane a·X + b·Y + c·Z = 1 has the inverse depth ρ = a·x + b·y + c, so a plane is fitted to the inverse depth
    around each pixel by least squares; the normal is −(a, b, c) / |(a, b, c)|: exact for planes, whatever the window.

    Args:
        depth: in metres, above zero, NaN where unknown.
        intrinsics: fx, fy, cx, cy in pixels.
        window: side of the window in pixels, odd; a larger one averages coarse or noisy depth over more pixels.
        slant: a step in depth that only a surface tilted by more than these degrees would have is not stepped across.

    Returns:
        Unit vectors; NaN where depth is unknown, or less than a quarter of the window shows the same surface.

    Reference: Badino et al., ICRA 2011 (unconstrained least squares in inverse range). Differs from it in: depth in
    place of range; the neighbourhood ends at steps in depth.
    """
    return -torch.nn.functional.normalize(plane_of(depth, intrinsics=intrinsics, window=window, slant=slant), dim=1)


def plane_of(
    depth: Float[Tensor, "batch 1 height width"],
    *,
    intrinsics: Float[Tensor, "batch 4"],
    window: int = WINDOW,
    slant: float = SLANT,
) -> Float[Tensor, "batch 3 height width"]:
    """Coefficients (a, b, c), in 1/m, of the plane a·X + b·Y + c·Z = 1 around each pixel; arguments as `normals_of`."""
    inverse_depth = inverse_of(depth)
    value, across, down = Neighbourhood(inverse_depth, intrinsics[:, :2], window, slant).fit(inverse_depth)
    slope = torch.cat([across, down], dim=1) * intrinsics[:, :2, None, None]
    ray = rays(intrinsics, size=_size(depth))
    return torch.cat([slope, value - (slope * ray[:, :2]).sum(1, keepdim=True)], dim=1)


def reshading_of(
    normal: Float[Tensor, "batch 3 height width"], *, intrinsics: Float[Tensor, "batch 4"]
) -> Float[Tensor, "batch 1 height width"]:
    """Brightness in [0, 1] of white, matt surfaces in the light of a lamp at the camera: max(0, −n · r / |r|).

    n is the normal and r = (x, y, 1) the line of sight (Lambert's law, without loss of light over distance).

    Args:
        normal: unit vectors towards the camera's side, NaN where unknown.
        intrinsics: fx, fy, cx, cy in pixels.

    Reference: "reshading" of Zamir et al., CVPR 2018 (Taskonomy). Differs from it in: computed from one frame.
    """
    sight = torch.nn.functional.normalize(rays(intrinsics, size=_size(normal)), dim=1)
    return -(normal * sight).sum(1, keepdim=True).clamp(-1, 0)


def inverse_of(depth: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """Inverse depth in 1/m, NaN where depth is unknown.

    Raises:
        ValueError: if a depth is not above zero.
    """
    if depth.numel():
        examine(depth.where(depth <= 0, 1).min()[None], _refuse_depth)
    return 1 / depth


def _refuse_depth(least: list[float]) -> None:
    if least[0] <= 0:
        raise ValueError(f"a depth is above zero metres, got {least[0]}; mark unknown depth by NaN, not by 0")


def _size(field: Tensor) -> tuple[int, int]:
    height, width = field.shape[-2:]
    return height, width
