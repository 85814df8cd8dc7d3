"""Tables of a study: main accuracy under attack, hidden accuracies, and what the rejector makes of it."""

from collections.abc import Mapping
from dataclasses import replace

from manyheads.reports.cells import HIGHER, LOWER, Cell, Column, Row, Table
from manyheads.reports.results import Challenge, Results
from manyheads.threats.knowledge import ADAPTIVE, GRAY

CLEAN = "clean"
"""Heading of the columns on clean images, and the attack's name under which a paper's clean numbers are given."""

Printed = Mapping[tuple[str, str, str], float]
"""A paper's numbers as shares, by (combination, training, attack's name or `CLEAN`)."""

_REJECTION = {
    "accepted_accuracy": ("accuracy of accepted", LOWER),
    "rejection_rate": ("rejected", ""),
    "accuracy_with_rejection": ("right with reject option", LOWER),
    "accepted_error": ("wrong and accepted", HIGHER),
}
_REJECTION_NOTE = (
    "Accuracy of accepted: right, of those that are not rejected. Right with reject option: clean images must be right "
    "and accepted, attacked ones right or rejected, of all. Wrong and accepted: of all."
)


def main_table(results: Results, *, printed: Printed | None = None) -> Table:
    """Tabulate the main task's accuracy on clean and attacked images, without rejection.

    Rows are task combinations, blocks of columns are trainings; every attack has a column for each threat. A paper's
    number stands in the clean and the gray-box cells.

    Reference: Hyun & Park, IEEE Access 2024, Table 2. Differs from it in: white-box and adaptive columns, intervals.
    """

    def cells(combination: str, training: str) -> list[Cell]:
        model = results.model(combination, training=training)
        return _clean_then_attacked(results, model, printed=_of(printed, combination, training))

    rows = tuple(
        Row(
            labels=(combination,),
            cells=tuple(cell for training in results.trainings for cell in cells(combination, training)),
        )
        for combination in results.combinations
    )
    note = "Accuracy of the main task, before any rejection."
    return Table(
        title="Main task: accuracy", stub=("tasks",), columns=_columns_by_threat(results), rows=rows, note=note
    )


def hidden_table(results: Results, *, printed: Printed | None = None) -> Table:
    """Tabulate the accuracy of each hidden task, and their mean where a model has several.

    A mean has no interval: the hidden heads answer on the same images. A paper's number stands in the row of the mean,
    or of the only hidden task.

    Reference: Hyun & Park, IEEE Access 2024, Table 3. Differs from it in: every hidden task has a row, threats.
    """
    rows = [row for combination in results.combinations for row in _hidden_rows(results, combination, printed=printed)]
    note = "Accuracy of the tasks that an attacker is not told of."
    return Table(
        title="Hidden tasks: accuracy",
        stub=("tasks", "hidden task"),
        columns=_columns_by_threat(results),
        rows=tuple(rows),
        note=note,
    )


def rejection_table(results: Results, challenge: Challenge) -> Table:
    """Tabulate what rejection does on clean images and under one attack, gray-box and adaptive side by side."""
    columns = tuple(
        Column(training, heading, name)
        for training in results.trainings
        for heading, _ in _REJECTION.values()
        for name in (CLEAN, GRAY, ADAPTIVE)
    )

    def cells(model: str | None, score: str, mark: str) -> tuple[Cell, ...]:
        gray, adaptive = (
            results.attacked(model, challenge=challenge, threat=threat, score=score) for threat in (GRAY, ADAPTIVE)
        )
        return results.clean(model, score=score), gray, _marked(adaptive, mark, gray=gray)

    rows = tuple(
        Row(
            labels=(combination,),
            cells=tuple(
                cell
                for training in results.trainings
                for score, (_, mark) in _REJECTION.items()
                for cell in cells(results.model(combination, training=training), score, mark)
            ),
        )
        for combination in results.combinations
    )
    return Table(
        title=f"With rejection: {challenge.label}", stub=("tasks",), columns=columns, rows=rows, note=_REJECTION_NOTE
    )


def _columns_by_threat(results: Results) -> tuple[Column, ...]:
    columns = []
    for training in results.trainings:
        columns.append(Column(training, CLEAN))
        columns += [
            Column(training, challenge.label, threat)
            for challenge in results.challenges
            for threat in results.threats_of(challenge)
        ]
    return tuple(columns)


def _hidden_rows(results: Results, combination: str, *, printed: Printed | None) -> list[Row]:
    models = [results.model(combination, training=training) for training in results.trainings]
    tasks = tuple(dict.fromkeys(task for model in models for task in results.tasks(model)[1:]))
    papers = [_of(printed, combination, training) for training in results.trainings]
    if not tasks and not any(papers):
        return []
    found = [
        [cell for model in models for cell in _clean_then_attacked(results, model, printed={}, task=task)]
        for task in tasks or ("hidden",)
    ]
    labels = list(tasks or ("hidden",))
    if len(tasks) > 1:
        found.append([_mean(cells) for cells in zip(*found, strict=True)])
        labels.append("mean")
    numbers = [number for paper in papers for number in _paper(results, paper)]
    found[-1] = [replace(cell, printed=number) for cell, number in zip(found[-1], numbers, strict=True)]
    return [Row(labels=(combination, label), cells=tuple(cells)) for label, cells in zip(labels, found, strict=True)]


def _clean_then_attacked(
    results: Results, model: str | None, *, printed: Mapping[str, float], task: str | None = None
) -> list[Cell]:
    """One training's cells of a row, in the order of `_columns_by_threat`."""
    cells = [results.clean(model, score="accuracy", task=task)]
    for challenge in results.challenges:
        threats = results.threats_of(challenge)
        found = [
            results.attacked(model, challenge=challenge, threat=threat, score="accuracy", task=task)
            for threat in threats
        ]
        gray = found[threats.index(GRAY)]
        cells += [_marked(cell, LOWER, gray=gray) for cell in found]
    return [replace(cell, printed=number) for cell, number in zip(cells, _paper(results, printed), strict=True)]


def _paper(results: Results, printed: Mapping[str, float]) -> list[float | None]:
    """List a paper's numbers for one training's cells: it knows clean images and the gray-box threat."""
    numbers = [printed.get(CLEAN)]
    for challenge in results.challenges:
        threats = results.threats_of(challenge)
        numbers += [printed.get(challenge.attack) if threat == GRAY else None for threat in threats]
    return numbers


def _of(printed: Printed | None, combination: str, training: str) -> dict[str, float]:
    return {key[2]: number for key, number in (printed or {}).items() if key[:2] == (combination, training)}


def _mean(cells: tuple[Cell, ...]) -> Cell:
    """Mean of several tasks' cells: not measured, or empty, as soon as one of them is."""
    values = [cell.value for cell in cells if cell.value is not None]
    if len(values) < len(cells):
        return Cell(n=None if any(cell.n is None for cell in cells) else 0)
    return Cell(value=sum(values) / len(values), n=min(cell.n or 0 for cell in cells))


def _marked(cell: Cell, mark: str, *, gray: Cell) -> Cell:
    """Mark a cell that is clearly worse than the gray-box one; an empty mark compares nothing."""
    if cell.low is None or cell.high is None or gray.low is None or gray.high is None:
        return cell
    worse = {LOWER: cell.high < gray.low, HIGHER: cell.low > gray.high}.get(mark, False)
    return replace(cell, mark=mark) if worse else cell
