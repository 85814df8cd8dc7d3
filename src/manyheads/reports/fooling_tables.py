"""Tables of attacks that were made for several tasks: each task's own scores under the attack that was made for it."""

from collections.abc import Mapping, Sequence

import polars as pl

from manyheads.reports.cells import Cell, Column, Row, Table
from manyheads.reports.dense_results import UNITS, words
from manyheads.reports.measures import SHARE, Measure, measure_of, rises
from manyheads.reports.tables import CLEAN

FOOLING: Mapping[str, str] = {
    "fooling_ratio": "fooling ratio",
    "accuracy": "accuracy",
    "target_accuracy": "taken for the target",
}
"""Scores of classifiers, and what tables call them."""

_UNTOLD = ("pixels", "loss")


def fooling_table(scores: pl.DataFrame) -> Table:
    """Tabulate how classifiers are fooled, each by the attack that was made for it: one row per attack.

    Args:
        scores: as `manyheads.evaluation.fooling_scores` makes them, where each threat is named after its victim.
    """
    own = scores.filter(pl.col("threat") == pl.col("model"))
    victims, attacks = (tuple(dict.fromkeys(own[name])) for name in ("model", "attack"))
    told = [score for score in FOOLING if score in set(own["score"])]

    def cells(attack: str, condition: str) -> tuple[Cell, ...]:
        part = own.filter(attack=attack, condition=condition)
        return tuple(
            _cell(part.filter(score=score, model=victim), measure=SHARE) for score in told for victim in victims
        )

    rows = [Row(labels=(CLEAN,), cells=cells(attacks[0], CLEAN))]
    rows += [Row(labels=(attack,), cells=cells(attack, "attacked")) for attack in attacks]
    return Table(
        title="Classifiers",
        stub=("attack",),
        columns=tuple(Column("", FOOLING[score], victim) for score in told for victim in victims),
        rows=tuple(rows),
        note="Fooling ratio: share of images whose answer changes. The attacker wants it high, and a low accuracy.",
    )


def own_task_table(scores: pl.DataFrame, *, tasks: Sequence[str]) -> Table:
    """Tabulate every score of dense tasks, each under the attack that was made for this task.

    Args:
        scores: as `manyheads.evaluation.dense_scores` makes them, where each threat is named after its task.
        tasks: the tasks, in order.
    """
    own = scores.filter(pl.col("threat") == pl.col("task"), ~pl.col("score").is_in(_UNTOLD))
    told = [(task, score) for task in tasks for score in dict.fromkeys(own.filter(task=task)["score"])]
    measures = {(task, score): measure_of(score, unit=UNITS.get(task, "")) for task, score in told}
    rows = []
    for victim in dict.fromkeys(own["model"]):
        attacks = tuple(dict.fromkeys(own.filter(model=victim)["attack"]))
        for label, attack, condition in [(CLEAN, attacks[0], CLEAN), *((one, one, "attacked") for one in attacks)]:
            part = own.filter(model=victim, attack=attack, condition=condition)
            cells = [_cell(part.filter(task=task, score=score), measure=measures[task, score]) for task, score in told]
            rows.append(Row(labels=(victim, label), cells=tuple(cells)))
    return Table(
        title="Dense tasks",
        stub=("model", "attack"),
        columns=tuple(Column(words(task), _heading(score, measures[task, score])) for task, score in told),
        rows=tuple(rows),
        note="Each task's columns are of the attack that was made for it. ↑: higher is better for the model, ↓: lower.",
    )


def _heading(score: str, measure: Measure) -> str:
    unit = f" ({measure.unit})" if measure.unit else ""
    return f"{words(score)}{unit} {'↑' if rises(score) else '↓'}"


def _cell(part: pl.DataFrame, *, measure: Measure) -> Cell:
    """Make the cell of the one row that is left, if any."""
    if part.is_empty() or part["value"][0] is None:
        return Cell(measure=measure)
    row = part.row(0, named=True)
    return Cell(value=row["value"], low=row["low"], high=row["high"], n=row["n"], measure=measure)
