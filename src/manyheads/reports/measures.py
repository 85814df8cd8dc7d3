"""How numbers of each kind are written: shares in percent, metres, degrees, plain numbers, changes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A kind of number.

    Args:
        unit: what stands behind a written number; empty for a plain one.
        write: writes a number of ours, without its unit.
        quote: writes a paper's number, with the decimals that papers print.
        scale: what a number is multiplied by to be in its unit.
        lowest: the least that such a number can be.
        highest: the most that it can be.
    """

    unit: str
    write: Callable[[float], str]
    quote: Callable[[float], str]
    scale: float = 1.0
    lowest: float = 0.0
    highest: float = inf


def percent(share: float) -> str:
    """Write a share in percent; what is not 0 or 100 to five decimals is not written so.

    >>> [percent(share) for share in (0.0, 0.0004, 0.5, 0.9996, 1.0)]
    ['0', '0.04', '50.0', '99.96', '100']
    """
    for decimals in range(1, 6):
        text = f"{100 * share:.{decimals}f}"
        if 0 < float(text) < 100:
            return text
    return f"{100 * share:.0f}"


def three_digits(number: float) -> str:
    """Write a number to three significant digits, never as a power of ten from 0.0001 to 999.

    >>> [three_digits(number) for number in (0.7, 12.345, 0.00123456, 100.0, 0.0)]
    ['0.700', '12.3', '0.00123', '100', '0.00']
    """
    return f"{number:#.3g}".rstrip(".")


def _quote_percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _quote(number: float) -> str:
    return f"{number:.4g}"


def _signed(change: float) -> str:
    return _unsigned_zero(f"{change:+.1f}")


def _quote_signed(change: float) -> str:
    return _unsigned_zero(f"{change:+.2f}")


def _unsigned_zero(text: str) -> str:
    return text if float(text) else text[1:]


SHARE = Measure(unit="%", write=percent, quote=_quote_percent, scale=100.0, highest=1.0)
"""A share of something counted, in [0, 1]."""

RATIO = Measure(unit="%", write=percent, quote=_quote_percent, scale=100.0)
"""A part of something that it may exceed, as a relative error is."""

CHANGE = Measure(unit="%", write=_signed, quote=_quote_signed, lowest=-inf)
"""A change in percent, positive where something became better; the number itself is in percent."""

POINTS = Measure(
    unit="points",
    write=lambda share: _signed(100 * share),
    quote=lambda share: _quote_signed(100 * share),
    scale=100.0,
    lowest=-1.0,
    highest=1.0,
)
"""A difference of two shares, in percentage points; the number itself is between −1 and 1."""


def quantity(unit: str) -> Measure:
    """Make the measure of a quantity that has this unit; empty for a plain number."""
    return Measure(unit=unit, write=three_digits, quote=_quote, lowest=-inf)


_SHARES = ("accuracy", "miou", "miou_per_image", "pixel_accuracy", "within_11_25", "within_22_5", "within_30")
_ANGLES = ("mean_angle", "median_angle")
_RISING = (*_SHARES, "accepted_accuracy", "accuracy_with_rejection")


def measure_of(score: str, *, unit: str = "") -> Measure:
    """Find how a score is written.

    Args:
        score: its name, as counters call it.
        unit: unit of the task's truth, for scores that are in it.

    >>> measure_of("miou").unit, measure_of("mean_angle").unit, measure_of("rmse", unit="m").unit
    ('%', '°', 'm')
    """
    if score in _RISING:
        return SHARE
    if score == "relative_error":
        return RATIO
    return quantity("°" if score in _ANGLES else unit)


def rises(score: str) -> bool:
    """Tell whether a score is better when it is higher; every other score is an error.

    >>> rises("miou"), rises("l1")
    (True, False)
    """
    return score in _RISING
