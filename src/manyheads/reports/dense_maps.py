"""Maps as pictures: classes by palette, quantities by colour bar, directions as RGB; what is unknown is hatched."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from matplotlib import colormaps
from matplotlib.colors import hsv_to_rgb
from torch import Tensor

from manyheads.reports.gallery import png_uri
from manyheads.reports.measures import three_digits

Picture = Float[Tensor, "3 height width"]
"""Red, green and blue in [0, 1]."""

_STRIPE = 6
_STRIPES = ((0.98, 0.86, 0.92), (0.76, 0.42, 0.6))
_GOLDEN = 0.618034


def hatched(picture: Picture, *, known: Bool[Tensor, "height width"]) -> Picture:
    """Cover unknown pixels with stripes of two pinks that no palette and no colour bar here has."""
    height, width = known.shape
    slope = torch.arange(height)[:, None] + torch.arange(width)
    light, dark = (torch.tensor(colour)[:, None, None] for colour in _STRIPES)
    stripes = torch.where(slope % _STRIPE < _STRIPE // 2, light, dark)
    return torch.where(known, picture, stripes)


def class_colour(number: int) -> tuple[float, float, float]:
    """Colour of a class: the same in every picture; the first sixty from well-known palettes, then by golden angle."""
    if number < len(_PALETTE):
        return _PALETTE[number]
    red, green, blue = hsv_to_rgb((number * _GOLDEN % 1, 0.55 + 0.4 * (number % 2), 0.9)).tolist()
    return red, green, blue


def hex_colour(number: int) -> str:
    """Colour of a class, as it is written in a page.

    >>> hex_colour(0)
    '#1f77b4'
    """
    return "#" + "".join(f"{round(255 * part):02x}" for part in class_colour(number))


def classes_picture(classes: Int64[Tensor, "height width"]) -> Picture:
    """Colour a map of classes; negative ones are unknown."""
    colours = torch.tensor([class_colour(number) for number in range(int(classes.max().clamp(min=0)) + 1)])
    return hatched(colours[classes.clamp(min=0)].permute(2, 0, 1), known=classes >= 0)


def directions_picture(normal: Float[Tensor, "3 height width"]) -> Picture:
    """Show directions as (n + 1) / 2, brought to length one first; NaN is unknown."""
    known = normal.isfinite().all(0)
    length = normal.norm(dim=0).clamp(min=1e-12)
    return hatched(((normal / length + 1) / 2).where(known, 0.0), known=known)


def image_picture(image: Float[Tensor, "3 height width"]) -> Picture:
    """Show a map of colours as it is, cut to [0, 1]; NaN is unknown."""
    known = image.isfinite().all(0)
    return hatched(image.clamp(0, 1).where(known, 0.0), known=known)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Colours of a quantity.

    Args:
        low: what has the first colour, and everything below it.
        high: what has the last colour, and everything above it.
        colours: name of the colour map.
        unit: unit of the quantity; empty for a plain number.
        below: whether something shown lies below `low`.
        above: whether something shown lies above `high`.
    """

    low: float
    high: float
    colours: str
    unit: str = ""
    below: bool = False
    above: bool = False

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at both ends of the colour bar."""
        space = f" {self.unit}" if self.unit else ""
        return ("≤ " * self.below + three_digits(self.low) + space, "≥ " * self.above + three_digits(self.high) + space)

    @property
    def bar(self) -> str:
        """The colours from low to high, as a data URI."""
        return png_uri(quantity_picture(torch.linspace(self.low, self.high, 128)[None], scale=self))


def quantity_picture(values: Float[Tensor, "height width"], *, scale: Scale) -> Picture:
    """Colour a quantity; what is not a number is unknown."""
    known = values.isfinite()
    share = ((values - scale.low) / (scale.high - scale.low)).clamp(0, 1).where(known, 0.0)
    table = torch.from_numpy(np.asarray(colormaps[scale.colours](np.linspace(0, 1, 256)))[:, :3].astype(np.float32))
    return hatched(table[(share * 255).round().long()].permute(2, 0, 1), known=known)


def spanning(maps: Sequence[Float[Tensor, "height width"]], *, colours: str, unit: str) -> Scale:
    """Make the scale that spans the first map, the truth; where it is flat or unknown, the other ones too."""
    low, high = _range(maps[:1])
    if not low < high:
        low, high = _range(maps)
    if not low < high:
        low, high = (low, low + 1.0) if isfinite(low) else (0.0, 1.0)
    return _between(low, high, maps=maps, colours=colours, unit=unit)


def balanced(maps: Sequence[Float[Tensor, "height width"]], *, colours: str, unit: str) -> Scale:
    """Make a scale around zero; it ends where 2 % of the first map's sizes, the truth's, are larger.

    For quantities with a sign and few extreme values, as curvature is.
    """
    sizes = next((known for one in maps if len(known := one[one.isfinite()].abs()) and bool(known.max() > 0)), None)
    limit = 1.0 if sizes is None else float(sizes.quantile(0.98)) or float(sizes.max())
    return _between(-limit, limit, maps=maps, colours=colours, unit=unit)


def _between(low: float, high: float, *, maps: Sequence[Tensor], colours: str, unit: str) -> Scale:
    least, most = _range(maps)
    slack = 1e-6 * (high - low)
    return Scale(low=low, high=high, colours=colours, unit=unit, below=least < low - slack, above=most > high + slack)


def _range(maps: Sequence[Tensor]) -> tuple[float, float]:
    """Return the least and the largest number of some maps; infinity and its opposite where there is none."""
    known = torch.cat([one[one.isfinite()] for one in maps])
    return (float(known.min()), float(known.max())) if len(known) else (float("inf"), float("-inf"))


def _palette() -> tuple[tuple[float, float, float], ...]:
    """Strong colours first, then their pale companions, then two more families."""
    tables = [np.asarray(colormaps[name](np.arange(20)))[:, :3] for name in ("tab20", "tab20b", "tab20c")]
    ordered = np.concatenate([tables[0][0::2], tables[0][1::2], *tables[1:]])
    return tuple((float(red), float(green), float(blue)) for red, green, blue in ordered)


_PALETTE = _palette()
