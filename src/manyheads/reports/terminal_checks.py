"""Sanity checks and verdicts in a terminal."""

from textwrap import wrap

from rich.console import Group as Lines
from rich.text import Text

from manyheads.reports.checklist import MARKS, Checklist, Mark
from manyheads.reports.verdict import Verdict

_STYLES = {"passed": "green", "failed": "bold red", "not applicable": "dim"}
_TONES = {"good": "green", "bad": "red", "held": "yellow"}


def checks_to_rich(checks: Checklist, *, width: int) -> Lines:
    """Draw a list of checks: with its figures for one model, as marks with the failures written out for several."""
    lines = [Text(checks.title, style="bold")]
    if len(checks.models) == 1:
        for check, (mark,) in checks.rows.items():
            lines += _told(check, mark, width=width)
        return Lines(*lines)
    for place, model in enumerate(checks.models):
        row = Text("  ")
        for marks in checks.rows.values():
            row += _sign(marks[place]) + Text(" ")
        lines.append(row + Text(model))
        lines += [Text(part, style="red") for line in checks.failed(model) for part in _indented(line, width=width)]
    numbered = ", ".join(f"{number} {check}" for number, check in enumerate(checks.rows, start=1))
    return Lines(*lines, *(Text(line, style="dim") for line in wrap(f"Checks, in order: {numbered}.", width)))


def verdict_to_rich(verdict: Verdict, *, width: int) -> Lines:
    """Draw a verdict as a few lines under the name of its model."""
    lines = [Text(verdict.title, style=f"bold {_TONES[verdict.tone]}")]
    return Lines(*lines, *(Text(part) for line in verdict.lines if line for part in wrap(line, width)))


def _told(check: str, mark: Mark | None, *, width: int) -> list[Text]:
    first = Text("  ") + _sign(mark) + Text(f" {check}")
    told = mark.told if mark is not None else "not measured"
    return [first, *(Text(part, style="dim") for part in _indented(told, width=width))]


def _indented(line: str, *, width: int) -> list[str]:
    return wrap(line, width, initial_indent="      ", subsequent_indent="      ")


def _sign(mark: Mark | None) -> Text:
    return Text(mark.sign, style=_STYLES[mark.outcome]) if mark is not None else Text(MARKS["not applicable"], "dim")
