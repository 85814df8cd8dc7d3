"""The nearest point of a hyperplane that is an image, in each norm."""

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.threats import L1, L2, Budget, Linf
from manyheads.types import Image, PerExample


def to_hyperplane(point: Image, *, gap: PerExample, slope: Image, budget: Budget) -> Image:
    """Return the smallest change, in the budget's norm, that closes the gap: `gap + slope · change = 0`, inside [0, 1].

    Exact. Where no image closes the gap, it is the change that leaves the least of it. A pixel without slope stays.

    Args:
        point: the images to change, in [0, 1].
        gap: value of the linear function at each image.
        slope: its gradient.
        budget: names the norm; its eps does not matter.

    Raises:
        NotImplementedError: if the budget's norm is none of L∞, L2 and L1.

    Reference: Croce & Hein, ICML 2020 (FAB), eq. 5; the algorithm is by sorting where pixels reach black or white.

    >>> point = torch.tensor([[[[0.5, 0.9]]]])
    >>> change = to_hyperplane(point, gap=torch.tensor([-0.3]), slope=torch.ones(1, 1, 1, 2), budget=L2(1.0))
    >>> [round(number, 4) for number in change.flatten().tolist()]
    [0.2, 0.1]
    """
    uphill = torch.where(gap < 0, 1.0, -1.0).to(slope)[:, None]
    direction = uphill * slope.flatten(1).sign()
    steep, wanted = slope.flatten(1).abs().double(), gap.abs().double()[:, None]
    room = torch.where(direction > 0, 1 - point.flatten(1), point.flatten(1)).double().clamp_min(0)
    match budget:
        case Linf():
            moved = _together(steep, speed=(steep > 0).double(), room=room, wanted=wanted)
        case L2():
            moved = _together(steep, speed=steep, room=room, wanted=wanted)
        case L1():
            moved = _in_turn(steep, room=room, wanted=wanted)
        case _:
            raise NotImplementedError(f"the nearest point is known in L∞, L2 and L1, not in {type(budget).__name__}")
    return (moved.to(slope) * direction).view_as(point)


Rows = Float[Tensor, "batch pixels"]
"""One number per pixel, pixels in a row."""


def _together(steep: Rows, *, speed: Rows, room: Rows, wanted: Float[Tensor, "batch 1"]) -> Rows:
    """All pixels move at their speeds until the gap is closed; those that reach their bound stay there."""
    stops, order = torch.where(speed > 0, room / speed, torch.inf).sort(dim=1)
    gain, rate = ((steep * by).gather(1, order) for by in (room, speed))
    before = gain.cumsum(1) - gain
    moving = (rate.sum(1, keepdim=True) - (rate.cumsum(1) - rate)).clamp_min(torch.finfo(rate.dtype).tiny)
    # The k-th pixel to stop: until then, those before it stand at their bounds and the others move.
    time = ((wanted - before) / moving).clamp_min(0)
    closed = time <= stops
    first = closed.int().argmax(1, keepdim=True)
    last = torch.where(closed.any(1, keepdim=True), time.gather(1, first), torch.inf)
    return torch.where(speed > 0, (last * speed).minimum(room), 0)


def _in_turn(steep: Rows, *, room: Rows, wanted: Float[Tensor, "batch 1"]) -> Rows:
    """One pixel after the other moves as far as it can, the steepest first, until the gap is closed."""
    order = steep.argsort(dim=1, descending=True, stable=True)
    slope, free = steep.gather(1, order), room.gather(1, order)
    gain = slope * free
    left = (wanted - (gain.cumsum(1) - gain)).clamp_min(0)
    moved = torch.where(slope > 0, left / slope, 0).minimum(free)
    return torch.zeros_like(moved).scatter_(1, order, moved)
