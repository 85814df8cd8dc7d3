"""Tables of dense models: one task's score under every attack, model by model, and all scores of one model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isclose

from manyheads.reports.cells import Cell, Column, Row, Table
from manyheads.reports.dense_results import DenseResults, capital, words
from manyheads.reports.measures import Measure, rises
from manyheads.reports.results import Challenge, budget_label
from manyheads.reports.tables import CLEAN

DensePrinted = Mapping[tuple[str, str, float], float]
"""A paper's numbers in the score's unit (shares for shares), by (model, attack's name or `CLEAN`, eps; 0 for clean)."""

_UNTOLD = ("pixels", "loss")


def dense_table(
    results: DenseResults,
    *,
    main: str,
    score: str | None = None,
    models: Sequence[str] | None = None,
    printed: DensePrinted | None = None,
) -> Table:
    """Tabulate one task's score on clean and attacked images, model by model.

    Blocks of columns are threats; each begins with the clean images. Several seeds are averaged.

    Args:
        results: the scores.
        main: the task.
        score: which of its scores; None for the one that stands for it.
        models: rows, in order; None for every model that has the task.
        printed: a paper's numbers, to stand below ours.

    Reference: Mao et al., ECCV 2020, Tables 1 to 3. Differs from it in: models are rows, intervals, multi-task attacks
    beside single-task ones.
    """
    score = score or results.headline(main)
    places = [(threat, challenge) for threat in results.threats for challenge in (None, *results.challenges(threat))]
    rows = []
    for model in models or results.having(main):
        cells = []
        for threat, challenge in places:
            cell = _cell(results, model, task=main, score=score, threat=threat, challenge=challenge)
            cells.append(replace(cell, printed=_printed(printed or {}, model, challenge=challenge)))
        rows.append(Row(labels=(model,), cells=tuple(cells)))
    measure = results.measure(main, score=score)
    return Table(
        title=f"{capital(words(main))}: {_named(score, measure)}",
        stub=("tasks",),
        columns=tuple(_column(threat, challenge=challenge) for threat, challenge in places),
        rows=tuple(rows),
        note="Higher is better." if rises(score) else "Lower is better.",
    )


def task_table(results: DenseResults, *, model: str) -> Table:
    """Tabulate every score of every task of one model on clean and attacked images."""
    places = [(threat, challenge) for threat in results.threats for challenge in (None, *results.challenges(threat))]
    rows = []
    for task in results.tasks(model):
        for score in results.scores_of(task):
            if score not in _UNTOLD:
                cells = [
                    _cell(results, model, task=task, score=score, threat=threat, challenge=challenge)
                    for threat, challenge in places
                ]
                label = f"{_named(score, results.measure(task, score=score))} {'↑' if rises(score) else '↓'}"
                rows.append(Row(labels=(words(task), label), cells=tuple(cells)))
    return Table(
        title=f"All tasks of {model}",
        stub=("task", "score"),
        columns=tuple(_column(threat, challenge=challenge) for threat, challenge in places),
        rows=tuple(rows),
        note="↑: higher is better, ↓: lower is better.",
    )


def _cell(
    results: DenseResults, model: str, *, task: str, score: str, threat: str, challenge: Challenge | None
) -> Cell:
    if challenge is None:
        return results.clean(model, task=task, score=score)
    return results.attacked(model, task=task, score=score, threat=threat, challenge=challenge)


def _column(threat: str, *, challenge: Challenge | None) -> Column:
    """Head a column: attacks of one name stand in one group, with their budgets below."""
    block = f"{threat} attacks"
    if challenge is None:
        return Column(block, CLEAN)
    return Column(block, challenge.attack, budget_label(norm=challenge.norm, eps=challenge.eps))


def _printed(printed: DensePrinted, model: str, *, challenge: Challenge | None) -> float | None:
    attack, eps = (CLEAN, 0.0) if challenge is None else (challenge.attack, challenge.eps)
    return next(
        (
            number
            for (named, one, size), number in printed.items()
            if (named, one) == (model, attack) and isclose(size, eps, rel_tol=1e-6)
        ),
        None,
    )


def _named(score: str, measure: Measure) -> str:
    """Name a score with its unit."""
    return f"{words(score)} ({measure.unit})" if measure.unit else words(score)
