"""The pair matrix: how much each auxiliary task helps each main task, as numbers and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import polars as pl

from manyheads.reports.cells import Cell, Column, Row, Table
from manyheads.reports.dense_results import words
from manyheads.reports.measures import CHANGE, quantity

_COLUMNS = ("evaluation", "main_task", "auxiliary_task", "relative_improvement_percent", "single_task_baseline")
_KEY = ["evaluation", "main_task", "auxiliary_task"]
MEAN = "mean"
"""Heading of the means over auxiliary tasks and over main tasks."""

BASELINE = "alone"
"""Heading of the scores of the models that have the main task alone."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Relative improvements of models of two tasks over the one with the main task alone.

    Args:
        frame: one row per evaluation and pair, with the columns `evaluation`, `main_task`, `auxiliary_task`,
            `relative_improvement_percent` (positive: better; null where it was not measured and on the diagonal) and
            `single_task_baseline`; with a column `baseline_unit` where the baselines have units.

    Raises:
        ValueError: if a column is missing, there is no row, or a pair stands twice.
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        """Refuse what is no matrix."""
        missing = [name for name in _COLUMNS if name not in self.frame.columns]
        if missing:
            raise ValueError(f"a pair matrix lacks the columns {', '.join(missing)}; it has {self.frame.columns}")
        if not len(self.frame):
            raise ValueError("a pair matrix needs at least one pair, got none")
        repeated = self.frame.filter(self.frame.select(_KEY).is_duplicated())
        if len(repeated):
            raise ValueError(f"a pair stands twice in one evaluation: {repeated.row(0, named=True)}; keep one")

    @cached_property
    def evaluations(self) -> tuple[str, ...]:
        """Evaluations: clean images first, then in order."""
        found = dict.fromkeys(self.frame["evaluation"])
        return tuple(sorted(found, key=lambda name: name != "clean"))

    @cached_property
    def mains(self) -> tuple[str, ...]:
        """Main tasks, in order: the rows."""
        return tuple(dict.fromkeys(self.frame["main_task"]))

    @cached_property
    def auxiliaries(self) -> tuple[str, ...]:
        """Auxiliary tasks: the columns, those that are also main tasks in the order of the rows."""
        found = dict.fromkeys(self.frame["auxiliary_task"])
        return tuple(dict.fromkeys((*(name for name in self.mains if name in found), *found)))

    def gain(self, evaluation: str, *, main: str, auxiliary: str) -> float | None:
        """Relative improvement in percent; None on the diagonal and where it was not measured."""
        return None if main == auxiliary else self._gains.get((evaluation, main, auxiliary))

    def baseline(self, evaluation: str, *, main: str) -> tuple[float | None, str]:
        """Score of the model with this task alone, and its unit."""
        return self._baselines.get((evaluation, main), (None, ""))

    def over_auxiliaries(self, evaluation: str, *, main: str) -> float | None:
        """Mean improvement of a main task over the auxiliary tasks that were measured."""
        return _mean([self.gain(evaluation, main=main, auxiliary=name) for name in self.auxiliaries])

    def over_mains(self, evaluation: str, *, auxiliary: str) -> float | None:
        """Mean improvement by an auxiliary task over the main tasks that were measured."""
        return _mean([self.gain(evaluation, main=name, auxiliary=auxiliary) for name in self.mains])

    def gains(self, evaluation: str) -> tuple[float, ...]:
        """All improvements that were measured, row by row."""
        pairs = [(main, auxiliary) for main in self.mains for auxiliary in self.auxiliaries]
        found = [self.gain(evaluation, main=main, auxiliary=auxiliary) for main, auxiliary in pairs]
        return tuple(gain for gain in found if gain is not None)

    def summary(self, evaluation: str) -> str:
        """Say how many pairs improved, and by how much on average."""
        found = self.gains(evaluation)
        if not found:
            return f"{evaluation_label(evaluation)}: no pair was measured."
        better = sum(gain > 0 for gain in found)
        return (
            f"{evaluation_label(evaluation)}: {better} of {len(found)} pairs are better than the main task alone; "
            f"the mean over all pairs is {CHANGE.write(fmean(found))} %."
        )

    @cached_property
    def _gains(self) -> dict[tuple[str, str, str], float]:
        rows = self.frame.drop_nulls("relative_improvement_percent").iter_rows(named=True)
        return {
            (row["evaluation"], row["main_task"], row["auxiliary_task"]): row["relative_improvement_percent"]
            for row in rows
        }

    @cached_property
    def _baselines(self) -> dict[tuple[str, str], tuple[float, str]]:
        rows = self.frame.drop_nulls("single_task_baseline").iter_rows(named=True)
        return {
            (row["evaluation"], row["main_task"]): (row["single_task_baseline"], row.get("baseline_unit") or "")
            for row in rows
        }


def evaluation_label(evaluation: str) -> str:
    """Write the name of an evaluation in words.

    >>> evaluation_label("clean"), evaluation_label("pgd50_eps4")
    ('Clean images', 'Under attack: PGD-50, ε = 4/255')
    """
    if evaluation == "clean":
        return "Clean images"
    attack, _, eps = evaluation.partition("_eps")
    name = attack.rstrip("0123456789")
    steps = attack.removeprefix(name)
    return f"Under attack: {name.upper()}{'-' * bool(steps)}{steps}" + (f", ε = {eps}/255" if eps else "")


def pair_table(pairs: Pairs, *, evaluation: str, printed: Pairs | None = None) -> Table:
    """Tabulate one evaluation: rows are main tasks, columns auxiliary tasks, with the means at the borders.

    Args:
        pairs: the improvements.
        evaluation: which of its evaluations.
        printed: a paper's improvements; they stand below ours where the pair is the same.
    """
    columns = [Column("", BASELINE), *(Column("", "together with", words(name)) for name in pairs.auxiliaries)]
    rows = [_row(pairs, evaluation, main=main, printed=printed) for main in pairs.mains]
    below = [
        _change(
            pairs.over_mains(evaluation, auxiliary=name),
            paper=printed and printed.over_mains(evaluation, auxiliary=name),
        )
        for name in pairs.auxiliaries
    ]
    everything = _change(_mean(pairs.gains(evaluation)), paper=printed and _mean(printed.gains(evaluation)))
    rows.append(Row(labels=(MEAN,), cells=(Cell(n=0, measure=CHANGE), *below, everything)))
    return Table(
        title=evaluation_label(evaluation),
        stub=("main task",),
        columns=(*columns, Column("", MEAN)),
        rows=tuple(rows),
        note=(
            f"{BASELINE.capitalize()}: score of the model with this task alone, in the "
            "unit behind the task. Elsewhere: relative improvement over it, in %; positive is better."
        ),
    )


def _row(pairs: Pairs, evaluation: str, *, main: str, printed: Pairs | None) -> Row:
    value, unit = pairs.baseline(evaluation, main=main)
    cells = [Cell(value=value, measure=quantity(unit))]
    for name in pairs.auxiliaries:
        paper = printed and printed.gain(evaluation, main=main, auxiliary=name)
        gain = pairs.gain(evaluation, main=main, auxiliary=name)
        cells.append(Cell(n=0, measure=CHANGE) if name == main else _change(gain, paper=paper))
    paper = printed and printed.over_auxiliaries(evaluation, main=main)
    cells.append(_change(pairs.over_auxiliaries(evaluation, main=main), paper=paper))
    return Row(labels=(f"{words(main)} ({unit})" if unit else words(main),), cells=tuple(cells))


def _change(gain: float | None, *, paper: float | None) -> Cell:
    return Cell(value=gain, printed=paper, measure=CHANGE)


def _mean(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return fmean(known) if known else None
