"""The parts of the study of Guo et al. 2020: each table with the generators that it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from manyheads.experiments import PerturbationKind
from manyheads.reports import Section
from manyheads.studies import guo2020_rooms as rooms
from manyheads.studies import guo2020_tables as tables
from manyheads.studies.guo2020_measured import Found
from manyheads.studies.guo2020_printed import Goal
from manyheads.studies.guo2020_wishes import Wish, ablated

PartName = Literal["table1", "table2", "table3", "table4", "table5", "table6", "table7", "ablation"]
"""The paper's tables, and what the logarithm of the losses does."""

COST: PartName = "table7"
"""The part that needs no trained generator: it is measured on the spot."""


@dataclass(frozen=True, eq=False)
class Part:
    """One table that needs trained generators.

    Args:
        wishes: which.
        show: makes its section of the report.
    """

    wishes: tuple[Wish, ...]
    show: Callable[[Found], Section]


def parts() -> dict[PartName, Part]:
    """Make all parts but `COST`, the same in both profiles."""
    office: tuple[tuple[PartName, PerturbationKind, Goal], ...] = (
        ("table1", "universal", "untargeted"),
        ("table2", "universal", "targeted"),
        ("table3", "per_instance", "untargeted"),
        ("table4", "per_instance", "targeted"),
    )
    made: dict[PartName, Part] = {
        name: Part(tables.wishes(kind, goal=goal), partial(tables.classifiers, number=number, kind=kind, goal=goal))
        for number, (name, kind, goal) in enumerate(office, start=1)
    }
    transfer = tuple(wish for wish in rooms.wishes() if wish.method == "mta")
    return {
        **made,
        "table5": Part(rooms.wishes(), rooms.attacked_rooms),
        "table6": Part(transfer, rooms.transferred),
        "ablation": Part(ablated(), rooms.logarithm),
    }
