from io import StringIO

import polars as pl
from rich.console import Console

from manyheads.reports import Checklist, Verdict, checklist, to_rich


def found(outcome: str) -> pl.DataFrame:
    rows = [("slope", outcome, "vanished: 3 %", 32), ("noise", "not applicable", "no noise", 0)]
    return pl.DataFrame(rows, schema=["check", "outcome", "figures", "n"], orient="row")


def drawn(shown: Checklist | Verdict, *, width: int = 60) -> list[str]:
    file = StringIO()
    Console(width=width, file=file).print(to_rich(shown, width=width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_checks_of_one_model_are_told_with_their_figures() -> None:
    assert drawn(checklist({"m": found("failed")})) == [
        "Sanity checks",
        "  ✗ slope",
        "      vanished: 3 % (n = 32)",
        "  – noise",
        "      no noise",
    ]


def test_checks_of_several_models_are_marks_and_the_failures() -> None:
    assert drawn(checklist({"a": found("passed"), "b": found("failed")})) == [
        "Sanity checks",
        "  ✓ – a",
        "  ✗ – b",
        "      slope: vanished: 3 % (n = 32)",
        "Checks, in order: 1 slope, 2 noise.",
    ]


def test_no_checks_are_a_heading_alone() -> None:
    assert drawn(checklist({}))[0] == "Sanity checks"


def test_a_verdict_is_its_lines_wrapped() -> None:
    verdict = Verdict(title="m", claimed="much " * 15, stands="", checks="none run", failed=("slope: bad",), tone="bad")
    lines = drawn(verdict)
    assert lines[0] == "m"
    assert all(len(line) <= 60 for line in lines)
    assert lines[-2:] == ["none run", "✗ slope: bad"]
    assert "" not in lines
