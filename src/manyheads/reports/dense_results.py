"""Scores of dense models, cell by cell: units, headline scores, and means over seeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from statistics import fmean
from types import MappingProxyType

import polars as pl

from manyheads.reports.cells import Cell
from manyheads.reports.measures import Measure, measure_of
from manyheads.reports.results import Challenge

SINGLE, MULTI = "single-task", "multi-task"
"""Names of the threats: raises the main task's loss alone; raises the losses of all tasks."""

UNITS: Mapping[str, str] = MappingProxyType({"depth": "m", "euclidean_depth": "m", "curvature": "1/m"})
"""Units of the tasks' truth; a task without is a plain number."""

HEADLINES = ("miou", "absolute_error", "mean_angle", "l1", "accuracy")
"""Scores that stand for a task, in order of preference: the first that was measured."""

_SCORES = ("model", "threat", "attack", "eps", "norm", "condition", "score", "task", "value", "low", "high", "n")
_KEY = _SCORES[:8]
_Rows = list[dict]


@dataclass(frozen=True, eq=False)
class DenseResults:
    """Scores of dense models on one data set.

    Args:
        scores: as `manyheads.evaluation.dense_scores` makes them, one row per score; with a column `seed` where a model
            was trained from several. Models stand in every table in the order in which they occur here.
        units: units of the tasks' truth, by task name.

    Raises:
        ValueError: if a column is missing, or a score stands twice.
    """

    scores: pl.DataFrame
    units: Mapping[str, str] = field(default_factory=lambda: UNITS)

    def __post_init__(self) -> None:
        """Refuse frames that would make a table lie."""
        missing = [column for column in _SCORES if column not in self.scores.columns]
        if missing:
            raise ValueError(
                f"scores lack the columns {', '.join(missing)}; they have {', '.join(self.scores.columns)}"
            )
        keys = [name for name in (*_KEY, "seed") if name in self.scores.columns]
        repeated = self.scores.filter(self.scores.select(keys).is_duplicated())
        if len(repeated):
            raise ValueError(
                f"two rows share {', '.join(keys)}: {repeated.row(0, named=True)}; keep one, or tell seeds apart by a "
                "column `seed`"
            )

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Models, in order."""
        return tuple(dict.fromkeys(self.scores["model"]))

    @cached_property
    def threats(self) -> tuple[str, ...]:
        """Threats: single-task, multi-task, then any other."""
        found = dict.fromkeys(self.scores["threat"])
        return tuple(name for name in dict.fromkeys((SINGLE, MULTI, *found)) if name in found)

    def challenges(self, threat: str) -> tuple[Challenge, ...]:
        """Attacks within budgets that this threat was measured with: in order, those of one name by their size."""
        rows = self.scores.filter(threat=threat).select("attack", "norm", "eps").unique(maintain_order=True)
        found = [Challenge(**row) for row in rows.iter_rows(named=True)]
        names = list(dict.fromkeys(one.attack for one in found))
        return tuple(sorted(found, key=lambda one: (names.index(one.attack), one.norm, one.eps)))

    def tasks(self, model: str | None = None) -> tuple[str, ...]:
        """Tasks that were measured, of one model or of any, in order."""
        rows = self.scores if model is None else self.scores.filter(model=model)
        return tuple(dict.fromkeys(rows["task"]))

    def having(self, task: str) -> tuple[str, ...]:
        """Models that have this task, those with fewest tasks first, else in order."""
        found = dict.fromkeys(self.scores.filter(task=task)["model"])
        return tuple(sorted(found, key=lambda model: len(self.tasks(model))))

    def scores_of(self, task: str) -> tuple[str, ...]:
        """Scores of a task that were measured, in order."""
        return tuple(dict.fromkeys(self.scores.filter(task=task)["score"]))

    def headline(self, task: str) -> str:
        """Score that stands for a task.

        Raises:
            ValueError: if the task has none of `HEADLINES`.
        """
        found = self.scores_of(task)
        for score in HEADLINES:
            if score in found:
                return score
        known = ", ".join(found) or "no scores at all"
        raise ValueError(f"task {task!r} needs one of the scores {', '.join(HEADLINES)}; it has {known}")

    def measure(self, task: str, *, score: str) -> Measure:
        """How a score of a task is written."""
        return measure_of(score, unit=self.units.get(task, ""))

    def clean(self, model: str, *, task: str, score: str) -> Cell:
        """Score on clean images, of each seed from the evaluation with most of them."""
        return self._cell(self._clean.get((model, task, score), []), task=task, score=score)

    def attacked(self, model: str, *, task: str, score: str, threat: str, challenge: Challenge) -> Cell:
        """Score on attacked images."""
        rows = self._attacked.get((model, task, score, threat, challenge), [])
        return self._cell(rows, task=task, score=score)

    def _cell(self, rows: Iterable[dict], *, task: str, score: str) -> Cell:
        """Make one seed's cell, or the mean over seeds with the lowest and the highest."""
        measure = self.measure(task, score=score)
        rows = list(rows)
        known = [row for row in rows if row["n"] and row["value"] is not None and not isnan(row["value"])]
        if not known:
            return Cell(n=0 if rows else None, measure=measure)
        values = [row["value"] for row in known]
        several = len(known) > 1
        return Cell(
            value=fmean(values),
            low=min(values) if several else known[0]["low"],
            high=max(values) if several else known[0]["high"],
            n=min(row["n"] for row in known),
            seeds=len(known),
            measure=measure,
        )

    @cached_property
    def _clean(self) -> dict[tuple[str, str, str], _Rows]:
        best: dict[tuple[str, str, str], dict[int, dict]] = {}
        for row in self.scores.filter(condition="clean").sort("n", maintain_order=True).iter_rows(named=True):
            best.setdefault((row["model"], row["task"], row["score"]), {})[row.get("seed", 0)] = row
        return {key: list(seeds.values()) for key, seeds in best.items()}

    @cached_property
    def _attacked(self) -> dict[tuple[str, str, str, str, Challenge], _Rows]:
        found: dict[tuple[str, str, str, str, Challenge], _Rows] = {}
        for row in self.scores.filter(condition="attacked").iter_rows(named=True):
            challenge = Challenge(attack=row["attack"], norm=row["norm"], eps=row["eps"])
            found.setdefault((row["model"], row["task"], row["score"], row["threat"], challenge), []).append(row)
        return found


def capital(text: str) -> str:
    """Write the first letter large and leave all others alone.

    >>> capital("mIoU of s d A")
    'MIoU of s d A'
    """
    return text[:1].upper() + text[1:]


def words(name: str) -> str:
    """Write the name of a task or a score in words.

    >>> words("euclidean_depth"), words("miou_per_image"), words("within_11_25")
    ('Euclidean depth', 'mIoU per image', 'within 11.25°')
    """
    return _WORDS.get(name, name.replace("_", " "))


_WORDS = {
    "euclidean_depth": "Euclidean depth",
    "keypoints2d": "2D key points",
    "keypoints3d": "3D key points",
    "miou": "mIoU",
    "miou_per_image": "mIoU per image",
    "rmse": "root mean square error",
    "l1": "mean absolute error",
    "within_11_25": "within 11.25°",
    "within_22_5": "within 22.5°",
    "within_30": "within 30°",
}
