"""Colours, strokes and type of every figure: one colour per threat, told apart also by shape and in grey print."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib import rc, rc_context, rcdefaults
from matplotlib.rcsetup import cycler

from manyheads.threats.knowledge import ADAPTIVE, GRAY, NOISE, TRANSFER, WHITE

_THREATS = {NOISE: "#a3a3a3", TRANSFER: "#7b5ea7", GRAY: "#6b7280", WHITE: "#0072b2", ADAPTIVE: "#d55e00"}
_OTHERS = ("#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#000000")
_MARKERS = "os^DvPX"
_DASHES = ("-", "--", ":", "-.")
_STYLE: dict[Any, dict[str, Any]] = {
    "font": {"family": "sans-serif", "sans-serif": ["DejaVu Sans"], "size": 10},
    "axes": {
        "titlesize": 11,
        "titleweight": "bold",
        "axisbelow": True,
        "grid": True,
        "prop_cycle": cycler(color=["#0072b2", "#d55e00", *_OTHERS[:2], _OTHERS[-1]]),
    },
    "axes.spines": {"top": False, "right": False},
    "grid": {"color": "#e5e7eb"},
    "legend": {"frameon": False},
    "figure": {"facecolor": "white"},
    "savefig": {"facecolor": "white"},
    "svg": {"fonttype": "none", "hashsalt": "manyheads"},
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style, whatever the user's own matplotlib settings are; they are back afterwards."""
    with rc_context():
        rcdefaults()
        for group, settings in _STYLE.items():
            rc(group, **settings)
        yield


def colour(threat: str, *, threats: Sequence[str]) -> str:
    """Colour of a threat; one without a colour of its own gets the next free one, by its place among `threats`."""
    others = [name for name in threats if name not in _THREATS]
    return _THREATS.get(threat) or _OTHERS[others.index(threat) % len(_OTHERS)]


def marker(threat: str, *, threats: Sequence[str]) -> str:
    """Shape of a threat's points, by its place among `threats`."""
    return _MARKERS[threats.index(threat) % len(_MARKERS)]


def dashes(place: int) -> str:
    """Stroke of the lines of the model at this place."""
    return _DASHES[place % len(_DASHES)]
