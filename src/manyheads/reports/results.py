"""Scores with their models: what was measured, cell by cell, in the order in which it was given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isinf

import polars as pl

from manyheads.reports.cells import Cell
from manyheads.threats.knowledge import ADAPTIVE, GRAY, KNOWLEDGE, WHITE

HEADLINE = "accuracy_with_rejection"
"""The score that counts for a guarded model: attacked images that it answers rightly or rejects, of all."""

_OF_HEADS = ("accuracy", "all_fooled", "any_fooled")
"""Scores that are not the main task's alone."""

_NORMS = {"Linf": "L∞"}
_SCORES = ("model", "threat", "attack", "eps", "norm", "condition", "score", "task", "value", "low", "high", "n")
_MODELS = ("model", "combination", "training")


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """An attack within a budget; `eps` in pixel units of [0, 1]."""

    attack: str
    norm: str
    eps: float

    @property
    def label(self) -> str:
        """The attack and its budget, in words."""
        return f"{self.attack} ({budget_label(norm=self.norm, eps=self.eps)})"


def budget_label(*, norm: str, eps: float) -> str:
    """Write a budget as papers do.

    >>> budget_label(norm="Linf", eps=8 / 255), budget_label(norm="L2", eps=float("inf"))
    ('L∞ 8/255', 'L2 unbounded')
    """
    return f"{_NORMS.get(norm, norm)} {'unbounded' if isinf(eps) else eps_label(eps)}"


def eps_label(eps: float) -> str:
    """Write the size of a perturbation in 255ths where that is exact, else as a decimal number.

    >>> eps_label(2 / 255), eps_label(0.3)
    ('2/255', '0.3')
    """
    steps = eps * 255
    exact = abs(steps - round(steps)) < 1e-6 and 0 < round(steps) < 255
    return f"{round(steps)}/255" if exact and len(f"{eps:.6g}") > 5 else f"{eps:.4g}"


@dataclass(frozen=True, eq=False)
class Results:
    """Scores of some models, with the task combination and the training of each.

    Args:
        scores: as `manyheads.evaluation` makes them, one row per score.
        models: columns `model`, `combination` and `training`; its order is the order of every table. A model without
            scores is one that was not measured yet.

    Raises:
        ValueError: if a column is missing, a score stands twice, a model is unknown, or two models share combination
            and training.
    """

    scores: pl.DataFrame
    models: pl.DataFrame

    def __post_init__(self) -> None:
        """Refuse frames that would make a table lie."""
        _require(self.scores, _SCORES, name="scores")
        _require(self.models, _MODELS, name="models")
        unknown = sorted(set(self.scores["model"]) - set(self.models["model"]))
        if unknown:
            raise ValueError(f"these models have scores but no combination and training: {', '.join(unknown)}")
        for frame, keys in (
            (self.models, ["combination", "training"]),
            (self.models, ["model"]),
            (self.scores, _SCORES[:8]),
        ):
            repeated = frame.filter(frame.select(keys).is_duplicated())
            if len(repeated):
                raise ValueError(f"two rows share {', '.join(keys)}: {repeated.row(0, named=True)}; keep one")

    @cached_property
    def combinations(self) -> tuple[str, ...]:
        """Task combinations, in order."""
        return tuple(dict.fromkeys(self.models["combination"]))

    @cached_property
    def trainings(self) -> tuple[str, ...]:
        """Trainings, in order."""
        return tuple(dict.fromkeys(self.models["training"]))

    @cached_property
    def challenges(self) -> tuple[Challenge, ...]:
        """Attacks within budgets, in order."""
        rows = self.scores.select("attack", "norm", "eps").unique(maintain_order=True).iter_rows(named=True)
        return tuple(Challenge(**row) for row in rows)

    @cached_property
    def threats(self) -> tuple[str, ...]:
        """Threats that were measured, those who know least first; gray-box, white-box and adaptive in any case."""
        measured = set(self.scores["threat"]) | {GRAY, WHITE, ADAPTIVE}
        known = [threat for threat in KNOWLEDGE if threat in measured]
        return tuple(dict.fromkeys((*known, *self.scores["threat"])))

    def threats_of(self, challenge: Challenge) -> tuple[str, ...]:
        """Threats that stand in a table under one attack: a blind one only where it was measured."""
        measured = set(self.scores.filter(attack=challenge.attack, norm=challenge.norm, eps=challenge.eps)["threat"])
        return tuple(threat for threat in self.threats if threat in measured | {GRAY, WHITE, ADAPTIVE})

    def model(self, combination: str, *, training: str) -> str | None:
        """Name of the model with this combination and training; None where there is none."""
        found = self.models.filter(combination=combination, training=training)["model"]
        return found[0] if len(found) else None

    def training(self, model: str) -> str:
        """Training of a model."""
        return self.models.filter(model=model)["training"][0]

    def tasks(self, model: str | None) -> tuple[str, ...]:
        """Tasks of a model, the main one first; empty where it was not measured.

        Raises:
            ValueError: if the scores do not tell which task is the main one.
        """
        rows = self.scores.filter(model=model) if model is not None else self.scores.clear()
        names = tuple(dict.fromkeys(rows.filter(score="accuracy")["task"]))
        main = tuple(dict.fromkeys(rows.filter(~pl.col("score").is_in(_OF_HEADS))["task"])) or names
        if names and (len(main) != 1 or main[0] not in names):
            raise ValueError(f"scores of {model!r} do not tell its main task: found {', '.join(map(str, main))}")
        return (*main, *(name for name in names if name not in main))

    def baseline(self, training: str) -> str | None:
        """Name of the measured model of this training without hidden tasks; None where there is none."""
        names = self.models.filter(training=training)["model"]
        return next((name for name in names if len(self.tasks(name)) == 1), None)

    def clean(self, model: str | None, *, score: str, task: str | None = None) -> Cell:
        """Score on clean images, from the evaluation with most of them; `task` None for the main one."""
        return self._clean.get((model, score, task or self._main(model)), Cell())

    def attacked(
        self, model: str | None, *, challenge: Challenge, threat: str, score: str, task: str | None = None
    ) -> Cell:
        """Score on attacked images; `task` None for the main one."""
        return self._attacked.get((model, score, task or self._main(model), threat, challenge), Cell())

    def lowest(
        self, model: str | None, *, challenge: Challenge, score: str = HEADLINE, threats: Sequence[str] | None = None
    ) -> Cell:
        """Lowest score of the main task over these threats, None for all; not measured where none of them was."""
        cells = [
            self.attacked(model, challenge=challenge, threat=threat, score=score) for threat in threats or self.threats
        ]
        return min(cells, key=lambda cell: 2.0 if cell.value is None else cell.value)

    def _main(self, model: str | None) -> str | None:
        return self._main_tasks.get(model or "")

    @cached_property
    def _main_tasks(self) -> dict[str, str]:
        tasks = {model: self.tasks(model) for model in self.models["model"]}
        return {model: names[0] for model, names in tasks.items() if names}

    @cached_property
    def _clean(self) -> dict[tuple[str | None, str, str | None], Cell]:
        rows = self.scores.filter(condition="clean").sort("n", maintain_order=True).iter_rows(named=True)
        return {(row["model"], row["score"], row["task"]): _cell(row) for row in rows}

    @cached_property
    def _attacked(self) -> dict[tuple[str | None, str, str | None, str, Challenge], Cell]:
        cells = {}
        for row in self.scores.filter(condition="attacked").iter_rows(named=True):
            challenge = Challenge(attack=row["attack"], norm=row["norm"], eps=row["eps"])
            cells[row["model"], row["score"], row["task"], row["threat"], challenge] = _cell(row)
        return cells


def _cell(row: dict) -> Cell:
    return Cell(value=row["value"], low=row["low"], high=row["high"], n=row["n"])


def _require(frame: pl.DataFrame, columns: Iterable[str], *, name: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"the frame {name} lacks the columns {', '.join(missing)}; it has: {', '.join(frame.columns)}")
