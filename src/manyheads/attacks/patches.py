"""Random patches that stay at the border of a budget: flat ones in L∞, bumps in L2 and L1."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from manyheads.randomness import Streams
from manyheads.threats import L1, L2, Budget, Linf
from manyheads.types import Image

_SMALLEST_BUMP = 3
"""The smallest side of a bump: it has an up and a down."""

_TILES = 5
"""How many bumps a first image has along its shorter side."""


class Patches(ABC):
    """How candidates are drawn; what lies outside the budget or [0, 1] is for the caller to project."""

    @abstractmethod
    def first(self, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Draw the image to begin with."""

    @abstractmethod
    def next(self, image: Image, *, clean: Image, budget: Budget, rng: Streams, side: int) -> Image:
        """Change a square of so many pixels a side, somewhere, in each image."""


def patches(budget: Budget) -> Patches:
    """Choose the patches for a budget's norm.

    Raises:
        NotImplementedError: if the norm is none of L∞, L2 and L1.
    """
    match budget:
        case Linf():
            return Flat()
        case L2():
            return Bumps(power=2)
        case L1():
            return Bumps(power=1)
        case _:
            raise NotImplementedError(f"patches are known in L∞, L2 and L1, not in {type(budget).__name__}")


@dataclass(frozen=True)
class Flat(Patches):
    """Squares in which every channel is eps above or below the clean image; vertical stripes to begin with.

    Reference: Andriushchenko et al., ECCV 2020, algorithm 2 and section 3.3.
    """

    def first(self, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Draw stripes."""
        channels, width = clean.shape[1], clean.shape[3]
        return clean + budget.eps * _sign(rng, channels, 1, width).to(clean)

    def next(self, image: Image, *, clean: Image, budget: Budget, rng: Streams, side: int) -> Image:
        """Draw a square."""
        inside = _inside(_corner(image, rng.fork("place"), side=side), side=side, like=image)
        level = clean + budget.eps * _sign(rng.fork("sign"), clean.shape[1], 1, 1).to(clean)
        return torch.where(inside, level, image)


@dataclass(frozen=True)
class Bumps(Patches):
    """Bumps of the size that budget is left for; each takes over what was spent in another square, which is cleared.

    Args:
        power: of the norm: 2 for L2, 1 for L1.

    Reference: Andriushchenko et al., ECCV 2020, algorithm 3; Croce & Hein, ICML 2021, for L1.
    """

    power: int

    def first(self, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Draw a tiling of bumps that spends the budget."""
        height, width = clean.shape[2:]
        side = max(min(height, width) // _TILES, 1)
        down, across = -(-height // side), -(-width // side)
        signs = _sign(rng.fork("sign"), clean.shape[1], down, across).to(clean)
        signs = signs.repeat_interleave(side, dim=2).repeat_interleave(side, dim=3)
        turned = (rng.fork("turn").uniform(1) < 0.5).long()[:, 0]
        tiles = _bumps(side).to(clean)[turned][:, None].repeat(1, 1, down, across)
        change = (signs * tiles)[:, :, :height, :width]
        return clean + budget.eps * change / self._length(change, axes=(1, 2, 3))

    def next(self, image: Image, *, clean: Image, budget: Budget, rng: Streams, side: int) -> Image:
        """Move a bump."""
        side = min(max(side + (side + 1) % 2, _SMALLEST_BUMP), *clean.shape[2:])
        change = image - clean
        corner, other = (_corner(image, rng.fork(label), side=side) for label in ("to", "from"))
        target, source = (_inside(place, side=side, like=image) for place in (corner, other))
        spent = change.abs().pow(self.power)
        unused = (budget.eps**self.power - spent.sum((1, 2, 3), keepdim=True)).clamp_min(0)
        share = torch.where(target | source, spent, 0).sum((2, 3), keepdim=True) + unused / clean.shape[1]
        there = torch.where(target, change, 0)
        turned, table = (rng.fork("turn").uniform(1) < 0.5).long()[:, 0], _bumps(side).to(clean)
        bump = _placed((table / self._length(table, axes=(1, 2)))[turned], corner=corner, like=image)
        bump = torch.where(target, bump, 0) * _sign(rng.fork("sign"), clean.shape[1], 1, 1).to(clean)
        mixed = bump + there / self._length(there, axes=(2, 3))
        mixed = mixed / self._length(mixed, axes=(2, 3)) * share.pow(1 / self.power)
        return clean + torch.where(target, mixed, torch.where(source, 0, change))

    def _length(self, values: Tensor, *, axes: tuple[int, ...]) -> Tensor:
        """Norm over some axes, which stay; never zero, so that it can be divided by."""
        total = values.abs().pow(self.power).sum(axes, keepdim=True).pow(1 / self.power)
        return total.clamp_min(torch.finfo(values.dtype).tiny)


def _sign(rng: Streams, *shape: int) -> Float[Tensor, "batch ..."]:
    """Draw plus or minus one."""
    return 2.0 * (rng.uniform(*shape) < 0.5) - 1


def _corner(image: Image, rng: Streams, *, side: int) -> Int64[Tensor, "batch 2"]:
    """Draw the row and the column at which a square begins that lies inside the image."""
    places = torch.tensor([length - side + 1 for length in image.shape[2:]], device=image.device)
    return (rng.uniform(2) * places).long()


def _inside(corner: Int64[Tensor, "batch 2"], *, side: int, like: Image) -> Bool[Tensor, "batch 1 height width"]:
    """Tell which pixels lie in the square."""
    down, across = _steps_from(corner, like=like)
    return ((down >= 0) & (down < side) & (across >= 0) & (across < side))[:, None]


def _placed(
    table: Float[Tensor, "batch side side"], *, corner: Int64[Tensor, "batch 2"], like: Image
) -> Float[Tensor, "batch 1 height width"]:
    """Lay a table on the image, its edge repeated outside of it."""
    down, across = (step.clamp(0, table.shape[1] - 1) for step in _steps_from(corner, like=like))
    number = torch.arange(len(table), device=table.device)[:, None, None]
    return table[number, down, across][:, None]


def _steps_from(corner: Int64[Tensor, "batch 2"], *, like: Image) -> tuple[Tensor, Tensor]:
    """Rows and columns counted from the corner, `(batch, height, 1)` and `(batch, 1, width)`."""
    rows, columns = (torch.arange(length, device=like.device) for length in like.shape[2:])
    return rows[:, None] - corner[:, :1, None], columns[None] - corner[:, 1:, None]


def _bumps(side: int) -> Float[Tensor, "2 side side"]:
    """Make an up and a down side by side, and the same one above the other."""
    half = side // 2
    bump = torch.cat([_pyramid(side, width=half), -_pyramid(side, width=side - half)], dim=1)
    return torch.stack([bump, bump.T])


def _pyramid(height: int, *, width: int) -> Float[Tensor, "height width"]:
    """Make the paper's η: it rises in steps of 1/(n+1)², 1/n², ..., 1 from edge to middle, n half the height."""
    middle = height // 2
    down = (torch.arange(height) - middle).abs()[:, None]
    across = (torch.arange(width) - width // 2).abs()[None]
    level = (middle - torch.maximum(down, across)).clamp_min(0)
    heights = (1 / torch.arange(middle + 1, 0, -1).double().square()).cumsum(0)
    return heights[level].float()
