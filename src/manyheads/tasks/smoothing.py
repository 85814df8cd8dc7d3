"""Gaussian smoothing and derivatives of images, separably, with the border pixels repeated outwards."""

import torch
from jaxtyping import Float
from torch import Tensor

_REACH = 4.0


def gaussian(
    field: Float[Tensor, "batch channel height width"], *, sigma: float, order: tuple[int, int] = (0, 0)
) -> Float[Tensor, "batch channel height width"]:
    """Convolve with a Gaussian, or with a derivative of it.

    Args:
        field: without NaN.
        sigma: standard deviation in pixels; the kernel reaches 4 of them.
        order: how often to differentiate down the rows and across the columns, each 0, 1 or 2.

    Raises:
        ValueError: if sigma is not above zero.

    Reference: the same as `scipy.ndimage.gaussian_filter` with `mode="nearest"`.
    """
    if not sigma > 0:
        raise ValueError(f"a Gaussian's standard deviation is above zero pixels, got {sigma}")
    down, across = (_kernel(sigma, order=each).to(field, non_blocking=field.is_cuda) for each in order)
    return convolve(field, down=down, across=across)


def convolve(
    field: Float[Tensor, "batch channel height width"],
    *,
    down: Float[Tensor, " rows"],
    across: Float[Tensor, " columns"],
) -> Float[Tensor, "batch channel height width"]:
    """Correlate every channel with a separable kernel of odd sides, with the border pixels repeated outwards."""
    height, width = field.shape[-2:]
    pad = (len(across) // 2, len(across) // 2, len(down) // 2, len(down) // 2)
    flat = torch.nn.functional.pad(field.flatten(0, 1)[:, None], pad, mode="replicate")
    smooth = torch.nn.functional.conv2d(
        torch.nn.functional.conv2d(flat, down.view(1, 1, -1, 1)), across.view(1, 1, 1, -1)
    )
    return smooth.view(*field.shape[:2], height, width)


def _kernel(sigma: float, *, order: int) -> Float[Tensor, " size"]:
    """Sample a Gaussian whose samples add up to one, or its derivative, to correlate with."""
    reach = int(_REACH * sigma + 0.5)
    place = torch.arange(-reach, reach + 1, dtype=torch.float64)
    bell = (-place.square() / (2 * sigma**2)).exp()
    bell = bell / bell.sum()
    factors = (torch.ones_like(place), place / sigma**2, place.square() / sigma**4 - 1 / sigma**2)
    return bell * factors[order]
