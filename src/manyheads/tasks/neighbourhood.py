"""Neighbourhoods: planes fitted to what lies around each pixel on the same surface."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Fit(NamedTuple):
    """Values and slopes, per pixel step, of the planes fitted around each pixel; NaN where none can be."""

    value: Float[Tensor, "batch channel height width"]
    across: Float[Tensor, "batch channel height width"]
    down: Float[Tensor, "batch channel height width"]


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The pixels around each pixel that show the same surface.

    Depth enters as its inverse, because the inverse depth of a plane is exactly affine over the image. A pixel in the
    window belongs to the neighbourhood if their inverse depths differ by no more, in proportion, than those of a plane
    that is tilted by `slant` degrees against the image; a larger step is taken for the end of the surface. What counts
    as a step therefore does not depend on the resolution.

    Args:
        inverse_depth: in 1/m, NaN where unknown.
        focal: fx, fy in pixels.
        window: side of the square window in pixels, odd.
        slant: in degrees, in (0, 90).

    Raises:
        ValueError: if the window or the slant is none.
    """

    inverse_depth: Float[Tensor, "batch 1 height width"]
    focal: Float[Tensor, "batch 2"]
    window: int
    slant: float

    def __post_init__(self) -> None:
        """Refuse a window without a middle, and a plane that cannot be seen."""
        if self.window < 3 or self.window % 2 == 0:
            raise ValueError(f"a window has an odd side of at least 3 pixels, got {self.window}")
        if not 0 < self.slant < 90:
            raise ValueError(f"the steepest surface is tilted by between 0 and 90 degrees, got {self.slant}")

    def fit(self, field: Float[Tensor, "batch channel height width"]) -> Fit:
        """Fit a plane to each channel of a field around each pixel, by least squares over the neighbourhood.

        NaN where the pixel itself is unknown, less than a quarter of the window belongs to the neighbourhood, or all
        of it lies on a line.

        Args:
            field: NaN where unknown.
        """
        known = ~(field.isnan().any(1, keepdim=True) | self.inverse_depth.isnan())
        middle = field.where(known, 0)
        # Inverse depths of infinity differ from all others by more than any surface does.
        depths = self.inverse_depth.where(known, torch.inf)
        weight_sums = [torch.zeros_like(depths) for _ in range(6)]
        field_sums = [torch.zeros_like(middle) for _ in range(3)]
        reach = self.window // 2
        wide = torch.nn.functional.pad(middle, (reach,) * 4)
        wide_depths = torch.nn.functional.pad(depths, (reach,) * 4, value=torch.inf)
        for down in range(-reach, reach + 1):
            rows = slice(reach + down, reach + down + depths.shape[-2])
            row = self._row_sums(
                middle, wide=wide[..., rows, :], depths=depths, wide_depths=wide_depths[..., rows, :], down=down
            )
            _add_powers(weight_sums, row[:3], down=down)
            field_sums[0] += row[3]
            field_sums[1] += row[4]
            field_sums[2].add_(row[3], alpha=down)
        return self._solve(middle, known=known, weight_sums=weight_sums, field_sums=field_sums)

    def _row_sums(
        self, middle: Tensor, *, wide: Tensor, depths: Tensor, wide_depths: Tensor, down: int
    ) -> list[Tensor]:
        """Add up over one row of the window, where it belongs: 1, x, x², the field's rise and x times that."""
        reach, width = self.window // 2, depths.shape[-1]
        steepest = math.tan(math.radians(self.slant))
        sums = [torch.zeros_like(depths) for _ in range(3)] + [torch.zeros_like(middle) for _ in range(2)]
        for across in range(-reach, reach + 1):
            columns = slice(reach + across, reach + across + width)
            distance = (self.focal.new_tensor([across, down]) / self.focal).norm(dim=1)
            limit = depths * (steepest * distance)[:, None, None, None]
            belongs = ((wide_depths[..., columns] - depths).abs_() <= limit).to(middle)
            rise = (wide[..., columns] - middle).mul_(belongs)
            sums[0] += belongs
            sums[3] += rise
            if across:
                sums[1].add_(belongs, alpha=across)
                sums[2].add_(belongs, alpha=across**2)
                sums[4].add_(rise, alpha=across)
        return sums

    def _solve(self, middle: Tensor, *, known: Tensor, weight_sums: list[Tensor], field_sums: list[Tensor]) -> Fit:
        """Solve the normal equations, moved to the centre of gravity of each neighbourhood."""
        count, sum_x, sum_y, sum_xx, sum_xy, sum_yy = weight_sums
        mean_x, mean_y, mean = (total / count for total in (sum_x, sum_y, field_sums[0]))
        spread_xx, spread_xy, spread_yy = sum_xx - sum_x * mean_x, sum_xy - sum_x * mean_y, sum_yy - sum_y * mean_y
        along_x, along_y = field_sums[1] - sum_x * mean, field_sums[2] - sum_y * mean
        spread = spread_xx * spread_yy - spread_xy.square()
        # On a line, which only a window of 3 leaves enough of, the spread is exactly zero, and slopes 0 / 0 are NaN.
        enough = known & (count >= self.window**2 / 4)
        across = (spread_yy * along_x - spread_xy * along_y) / spread
        down = (spread_xx * along_y - spread_xy * along_x) / spread
        value = middle + mean - across * mean_x - down * mean_y
        return Fit(*(part.where(enough, torch.nan) for part in (value, across, down)))


def _add_powers(totals: list[Tensor], row: list[Tensor], *, down: int) -> None:
    """Add one row's sums of 1, x and x² to the totals of 1, x, y, x², xy and y²."""
    count, sum_x, sum_xx = row
    for total, part, factor in zip(
        totals, (count, sum_x, count, sum_xx, sum_x, count), (1, 1, down, 1, down, down**2), strict=True
    ):
        total.add_(part, alpha=factor)
