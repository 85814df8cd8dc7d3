"""The parts of the study of Mao et al. 2020: each table or figure with the models that it needs, in both profiles."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from manyheads.reports import Section
from manyheads.studies import mao2020_figures as figures
from manyheads.studies import mao2020_pairs as matrix
from manyheads.studies import mao2020_tables as tables
from manyheads.studies.mao2020_attacks import vulnerability
from manyheads.studies.mao2020_grids import (
    QUICK_SHARES,
    ROOM_SHARES,
    STREET_SHARES,
    Wish,
    equal,
    growing,
    pairs,
    spelled,
    with_auxiliaries_of,
)
from manyheads.studies.mao2020_measured import Measured
from manyheads.studies.mao2020_models import Measurements, Model, Setting
from manyheads.studies.mao2020_settings import Indoor, rooms, small_rooms, streets
from manyheads.tasks import PAPER_LETTERS

PartName = Literal["figure4", "figure5", "table1", "table2", "table3", "figure7"]
"""The tables and figures of the paper."""

QUICK_ORDER = "s d n e A"
"""Tasks of the profile `quick`, in the order in which models grow."""

PAPER_ORDER = "s d n k e r"
"""Tasks of Figs. 4c and 5, in the paper's order."""

QUICK_EXAMPLES = 96
"""How many test frames the longer attacks of the profile `quick` attack."""

QUICK_NORMS = 48
"""On how many test frames the profile `quick` measures gradients."""

PIXELS = (1, 4, 16, 64, 256, 1024, 4096, 16384)
"""Numbers of output pixels that are drawn for Fig. 4a and b; the profile `quick` ends at 1024."""


@dataclass(frozen=True, eq=False)
class Part:
    """One table or figure.

    Args:
        wishes: the models that it needs, and what they are put through.
        show: makes its section of the report.
    """

    wishes: tuple[Wish, ...]
    show: Callable[[Measured], Section]


def quick_parts(
    setting: Setting | None = None, *, examples: int = QUICK_EXAMPLES, pixels: tuple[int, ...] = PIXELS[:6]
) -> dict[PartName, Part]:
    """Make all parts of the profile `quick`: five tasks on one set of frames, so that the parts share many models.

    Args:
        setting: where the models are trained; None for NYUv2 at 48×64 pixels.
        examples: how many test frames the longer attacks attack.
        pixels: numbers of output pixels of Fig. 4a and b.
    """
    setting = setting or small_rooms()
    grown = growing(setting, QUICK_ORDER, examples=examples, norms=QUICK_NORMS)
    return {
        "figure4": Part(
            (_pixels(setting, examples=QUICK_NORMS, numbers=pixels), *_measuring(grown)), figures.vulnerability
        ),
        "figure5": Part(grown, figures.over_eps),
        "table1": Part(equal(setting, examples=examples), tables.joint_attack),
        "table2": Part(with_auxiliaries_of(setting, QUICK_SHARES, examples=examples), tables.single_attack),
        "table3": Part(with_auxiliaries_of(setting, QUICK_SHARES, examples=examples, hardened=True), tables.hardened),
        "figure7": Part(pairs(setting, QUICK_ORDER.split(), QUICK_SHARES, examples=examples), matrix.pair_matrix),
    }


def paper_parts(indoor: Indoor = "taskonomy") -> dict[PartName, Part]:
    """Make all parts of the profile `paper`: Cityscapes for the tables, frames of rooms for models of many tasks.

    Args:
        indoor: the frames of rooms. NYUv2 is not the paper's choice, but is free to have.
    """
    large, medium, room = streets("drn_d_105"), streets("drn_d_22"), rooms(indoor)
    grown = growing(room, PAPER_ORDER, examples=None, norms=500)
    pixels = _pixels(large, examples=100, numbers=PIXELS)
    return {
        "figure4": Part((pixels, *_measuring(grown)), figures.vulnerability),
        "figure5": Part(grown, figures.over_eps),
        "table1": Part(equal(large, examples=None), tables.joint_attack),
        "table2": Part(with_auxiliaries_of(medium, STREET_SHARES, examples=None), tables.single_attack),
        "table3": Part(with_auxiliaries_of(medium, STREET_SHARES, examples=None, hardened=True), tables.hardened),
        "figure7": Part(pairs(room, list(PAPER_LETTERS), ROOM_SHARES, examples=None), matrix.pair_matrix),
    }


def union(parts: Iterable[Part]) -> Mapping[tuple[str, Model], Measurements]:
    """Collect what each model is put through in any of these parts, by setting and model."""
    found: dict[tuple[str, Model], Measurements] = {}
    for wish in (wish for part in parts for wish in part.wishes):
        key = wish.setting.name, wish.model
        found[key] = found[key] | wish.measurements if key in found else wish.measurements
    return found


def _pixels(setting: Setting, *, examples: int, numbers: tuple[int, ...]) -> Wish:
    """Make the model of the segmentation alone, measured over output pixels."""
    main = Model(spelled("s"))
    return Wish(setting, main, vulnerability(examples, pixels=numbers))


def _measuring(wishes: Iterable[Wish]) -> tuple[Wish, ...]:
    """Keep those whose vulnerability is measured."""
    return tuple(wish for wish in wishes if wish.measurements.vulnerability is not None)
