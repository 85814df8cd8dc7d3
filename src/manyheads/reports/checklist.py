"""Lists of sanity checks, drawn as marks: one row per check, one column per model."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from manyheads.reports.verdicts import Caution

MARKS: Mapping[str, str] = {"passed": "✓", "failed": "✗", "not applicable": "–"}
"""How each outcome is drawn where colours are not enough."""

_COLUMNS = ("check", "outcome", "figures", "n")


@dataclass(frozen=True)
class Mark:
    """What one check found of one model.

    Args:
        outcome: `passed`, `failed` or `not applicable`.
        figures: the numbers that say so, or why it was not checked.
        n: how many examples they are of.

    Raises:
        ValueError: if the outcome is none of these.
    """

    outcome: str
    figures: str
    n: int

    def __post_init__(self) -> None:
        """Refuse an outcome that could be drawn in no colour."""
        if self.outcome not in MARKS:
            raise ValueError(f"a check is {', '.join(MARKS)}, got {self.outcome!r}")

    @property
    def sign(self) -> str:
        """The outcome as one character."""
        return MARKS[self.outcome]

    @property
    def told(self) -> str:
        """The figures with their n."""
        return f"{self.figures} (n = {self.n})" if self.n else self.figures


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """Marks with headings.

    Args:
        title: what was checked.
        models: headings of the columns.
        rows: one mark per model, by check; None where a model's run knows nothing of a check.
        note: what a reader must know to read it.

    Raises:
        ValueError: if a row has more or fewer marks than there are models.
    """

    title: str
    models: tuple[str, ...]
    rows: Mapping[str, tuple[Mark | None, ...]]
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse ragged rows."""
        for check, marks in self.rows.items():
            if len(marks) != len(self.models):
                raise ValueError(f"{check!r} needs one mark for each of {len(self.models)} models, got {len(marks)}")

    def failed(self, model: str) -> tuple[str, ...]:
        """Tell which checks a model fails, with the figures."""
        place = self.models.index(model)
        found = {check: marks[place] for check, marks in self.rows.items()}
        return tuple(f"{check}: {mark.told}" for check, mark in found.items() if mark and mark.outcome == "failed")

    def counts(self, model: str) -> dict[str, int]:
        """Count a model's outcomes, each with how often it occurs."""
        marks = [row[self.models.index(model)] for row in self.rows.values()]
        return {outcome: sum(mark is not None and mark.outcome == outcome for mark in marks) for outcome in MARKS}


def checklist(found: Mapping[str, pl.DataFrame]) -> Checklist:
    """Lay the checks of some models side by side.

    Args:
        found: what `manyheads.evaluation.sanity_checks` returned, by model.

    Raises:
        ValueError: if a table lacks a column.
    """
    for model, table in found.items():
        missing = [name for name in _COLUMNS if name not in table.columns]
        if missing:
            raise ValueError(f"the checks of {model!r} lack the columns {', '.join(missing)}; run it again")
    marks = {
        model: {row["check"]: Mark(row["outcome"], row["figures"], row["n"]) for row in table.iter_rows(named=True)}
        for model, table in found.items()
    }
    checks = tuple(dict.fromkeys(check for one in marks.values() for check in one))
    rows = {check: tuple(marks[model].get(check) for model in found) for check in checks}
    return Checklist(title="Sanity checks", models=tuple(found), rows=rows, note=_NOTE)


def failed_checks(checks: Checklist) -> tuple[Caution, ...]:
    """Warn of the sanity checks that models fail; nothing where they fail none."""
    failed = {model: found for model in checks.models if (found := checks.failed(model))}
    return (Caution(title="Sanity checks failed", text=_FAILED, items=failed),) if failed else ()


_FAILED = "What attacks left may be hidden gradients, not robustness. Do not believe the numbers before you know why."
_NOTE = (
    "A check fails where chance alone would look that bad less than once in a hundred times; what passes on so few "
    "examples is not proven."
)
