"""The table of gains: what hidden tasks add, in percentage points, under each attack and threat."""

from collections.abc import Sequence

import polars as pl

from manyheads.evaluation import CLEAN, WORST
from manyheads.reports.cells import Cell, Column, Row, Table
from manyheads.reports.measures import POINTS
from manyheads.reports.results import Challenge, Results
from manyheads.threats.knowledge import ADAPTIVE, GRAY, WHITE

_SHOWN = (GRAY, WHITE, ADAPTIVE, WORST)
_NOTE = (
    "More images right or rejected (clean: right and accepted) than the same training without hidden tasks keeps, on "
    "the same images; intervals by paired bootstrap. Worst of all: each image's worst threat, for both models. "
)


def gain_table(gains: pl.DataFrame, results: Results) -> Table:
    """Tabulate gains: rows are task combinations, blocks of columns trainings, a column for each attack and threat.

    Args:
        gains: as `manyheads.evaluation.gains` makes them.
        results: the models, in their order; those without a gain have no row.
    """
    found = {
        (row["model"], row["attack"], row["norm"], row["eps"], row["threat"]): row
        for row in gains.iter_rows(named=True)
    }
    compared = set(gains["model"])
    trainings = [one for one in results.trainings if compared & set(results.models.filter(training=one)["model"])]
    columns = tuple(column for training in trainings for column in _columns(results.challenges, training=training))

    def cells(combination: str) -> tuple[Cell, ...]:
        made = []
        for training in trainings:
            model = results.model(combination, training=training)
            keys = [(one.attack, one.norm, one.eps) for one in results.challenges]
            clean = next((row for key in keys if (row := found.get((model, *key, CLEAN)))), None)
            made += [_cell(clean), *(_cell(found.get((model, *key, threat))) for key in keys for threat in _SHOWN)]
        return tuple(made)

    rows = tuple(
        Row(labels=(combination,), cells=cells(combination))
        for combination in results.combinations
        if compared & set(results.models.filter(combination=combination)["model"])
    )
    return Table(title="What hidden tasks add", stub=("tasks",), columns=columns, rows=rows, note=_NOTE.strip())


def _columns(challenges: Sequence[Challenge], *, training: str) -> list[Column]:
    named = [Column(training, one.label, threat) for one in challenges for threat in _SHOWN]
    return [Column(training, CLEAN), *named]


def _cell(row: dict | None) -> Cell:
    if row is None:
        return Cell(measure=POINTS)
    return Cell(value=row["gain"], low=row["low"], high=row["high"], n=row["n"], measure=POINTS)
