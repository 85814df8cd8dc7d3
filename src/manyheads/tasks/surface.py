"""Shape of the visible surface: principal curvatures, where surfaces end, and where their shape is distinctive.

Depth, intrinsics and the camera's frame are those of `manyheads.tasks.geometry`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.tasks.geometry import SLANT, WINDOW, inverse_of, points_of
from manyheads.tasks.neighbourhood import Neighbourhood
from manyheads.tasks.smoothing import gaussian

CURVATURE_LIMIT = 20.0
"""Largest principal curvature told apart, in 1/m: a ball of 5 cm radius."""

EDGE_RANGE = (0.03, 0.1)
"""Steps in depth, as a share of it, from which an occlusion edge is seen and at which it is a full one."""

KEYPOINT_CLIP = 0.3
"""Turn of the normal per pixel, in radians, in two directions at once, that makes a full key point."""


def principal_curvature_of(
    depth: Float[Tensor, "batch 1 height width"],
    *,
    normal: Float[Tensor, "batch 3 height width"],
    intrinsics: Float[Tensor, "batch 4"],
    window: int = WINDOW,
    slant: float = SLANT,
    limit: float = CURVATURE_LIMIT,
) -> Float[Tensor, "batch 2 height width"]:
    """Principal curvatures of the visible surface in 1/m, larger first; positive for a ball seen from outside.

    They are the eigenvalues of the shape operator, which takes a step along the surface to the turn of the normal on
    it: the solution S of I S = II, with the fundamental forms I = JᵀJ and II = the symmetric part of JᵀK. The columns
    of J are the slopes of the points P over the image, those of K the slopes of the normals N, all from planes fitted
    around each pixel. On balls and cylinders N is affine in P, so the same fit to both is exact given exact normals.

    Args:
        depth: in metres, above zero, NaN where unknown.
        normal: unit vectors towards the camera's side, NaN where unknown, such as `normals_of` gives.
        intrinsics: fx, fy, cx, cy in pixels.
        window: side of the window in pixels, odd; a larger one averages coarse or noisy depth over more pixels.
        slant: a step in depth that only a surface tilted by more than these degrees would have is not stepped across.
        limit: curvatures are clipped to ± this, in 1/m.

    Returns:
        Two channels; NaN where depth or normal, or too much of the window around, is unknown or on another surface.

    Reference: do Carmo, Differential Geometry of Curves and Surfaces, section 3.2; "principal curvature" of Zamir et
    al., CVPR 2018.
    """
    surroundings = Neighbourhood(inverse_of(depth), intrinsics[:, :2], window, slant)
    _, across, down = surroundings.fit(torch.cat([normal, points_of(depth, intrinsics=intrinsics)], dim=1))
    (turn_x, step_x), (turn_y, step_y) = across.split(3, dim=1), down.split(3, dim=1)
    first_xx, first_xy, first_yy = (_dot(step_x, step_x), _dot(step_x, step_y), _dot(step_y, step_y))
    second_xx, second_yy = _dot(step_x, turn_x), _dot(step_y, turn_y)
    second_xy = (_dot(step_x, turn_y) + _dot(step_y, turn_x)) / 2
    area = first_xx * first_yy - first_xy.square()
    gauss = (second_xx * second_yy - second_xy.square()) / area
    mean = (first_xx * second_yy - 2 * first_xy * second_xy + first_yy * second_xx) / (2 * area)
    apart = (mean.square() - gauss).clamp(min=0).sqrt()
    return torch.stack([mean + apart, mean - apart], dim=1).clamp(-limit, limit)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).sum(1)


def occlusion_edges_of(
    depth: Float[Tensor, "batch 1 height width"], *, span: tuple[float, float] = EDGE_RANGE
) -> Float[Tensor, "batch 1 height width"]:
    """Strength in [0, 1] of the edges at which one surface ends in front of another, on both sides of them.

    With ρ = 1 / depth, the step s at a pixel is the largest |ρ₋ − 2ρ + ρ₊| / ρ over the row, the column and both
    diagonals through it, ρ₋ and ρ₊ being the neighbours: zero on a plane however steeply it is seen, and the relative
    jump of inverse depth where one surface ends. The strength is (s − low) / (high − low), clipped to [0, 1].

    Args:
        depth: in metres, above zero, NaN where unknown.
        span: low and high, as shares of the depth.

    Returns:
        NaN where depth is unknown, or has no two opposite neighbours that are known (as in the image's corners).

    Reference: "edge occlusion" of Zamir et al., CVPR 2018. Differs from it in: computed from one frame's depth, not
    from a mesh.
    """
    inverse_depth = inverse_of(depth)
    low, high = span
    pads = torch.nn.functional.pad(inverse_depth, (1, 1, 1, 1), value=torch.nan)
    height, width = depth.shape[-2:]
    steps = []
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        ahead = pads[..., 1 + down : 1 + down + height, 1 + across : 1 + across + width]
        behind = pads[..., 1 - down : 1 - down + height, 1 - across : 1 - across + width]
        steps.append((ahead - 2 * inverse_depth + behind).abs() / inverse_depth)
    found = torch.stack(steps)
    known = ~found.isnan()
    step = found.where(known, 0).amax(0).where(known.any(0), torch.nan)
    return ((step - low) / (high - low)).clamp(0, 1)


def keypoints3d_of(
    depth: Float[Tensor, "batch 1 height width"],
    *,
    normal: Float[Tensor, "batch 3 height width"],
    sigma: float = 1.5,
    clip: float = KEYPOINT_CLIP,
) -> Float[Tensor, "batch 1 height width"]:
    """Strength in [0, 1] of the points where the surface changes in two directions at once, such as corners of objects.

    min(1, √λ / clip), with λ the smaller eigenvalue of the structure tensor Σ ∇f ∇fᵀ of the four fields f: the normal's
    three components and the logarithm of depth, by central differences averaged with a Gaussian over the known pixels.

    Args:
        depth: in metres, above zero, NaN where unknown.
        normal: unit vectors, NaN where unknown.
        sigma: the Gaussian's standard deviation in pixels.
        clip: the value of √λ that counts as 1, per pixel.

    Returns:
        NaN where depth is unknown, or everything around is.

    Reference: in the spirit of NARF (Steder et al., ICRA 2011), which "keypoints 3D" of Zamir et al., CVPR 2018, uses:
    a point must show surface changes in more than one direction. Differs from it in: a structure tensor in the image
    (Harris' idea, Shi & Tomasi's measure), not a search over a ball around each point.
    """
    field = torch.cat([normal, -inverse_of(depth).log()], dim=1)
    across, down = _central_differences(field)
    known = ~(across.isnan() | down.isnan())
    across, down = across.where(known, 0), down.where(known, 0)
    products = torch.stack([across.square(), across * down, down.square()], dim=1).sum(2)
    weight = gaussian(known.to(field).mean(1, keepdim=True), sigma=sigma)
    tensor_xx, tensor_xy, tensor_yy = (gaussian(products, sigma=sigma) / weight).unbind(1)
    middle, half = (tensor_xx + tensor_yy) / 2, (tensor_xx - tensor_yy) / 2
    smaller = (middle - (half.square() + tensor_xy.square()).sqrt()).clamp(min=0)
    strength = (smaller.sqrt()[:, None] / clip).clamp(max=1)
    return strength.where((weight > 0) & ~depth.isnan(), torch.nan)


def _central_differences(field: Tensor) -> tuple[Tensor, Tensor]:
    """Half the difference of the neighbours in the row and in the column; at the border, the pixel is its own one."""
    wide = torch.nn.functional.pad(field, (1, 1, 1, 1), mode="replicate")
    return (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2, (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
