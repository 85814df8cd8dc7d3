"""A study is run, reported and laid beside printed numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from manyheads.experiments import Bars, Experiment, RunFiles
from manyheads.reports import CLEAN, Checklist, Table, Verdict
from manyheads.studies import Study, grid
from manyheads.studies.printed_numbers import PrintedTables

Make = Callable[[Path], Experiment]
PRINTED = PrintedTables(
    main={("main", "plain", CLEAN): 0.1234, ("main+parity", "hardened", "pgd untargeted"): 0.2345},
    hidden={("main+parity", "hardened", CLEAN): 0.3456},
)


@dataclass(frozen=True)
class Conducted:
    """A study and what it shows."""

    study: Study
    shown: tuple[Table | Checklist | Verdict, ...]


@pytest.fixture(scope="module")
def conducted(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Conducted:
    folder = tmp_path_factory.mktemp("runs")
    members = grid(tiny(folder), study="try")
    study = Study(title="A try on 8×8 digits", folder=folder / "try", members=members, printed=PRINTED)
    return Conducted(study, study.conduct(quiet))


def test_every_member_is_run(conducted: Conducted) -> None:
    assert len(conducted.study.members) == 4
    for member in conducted.study.members:
        assert RunFiles(member.run).scores.exists()
        assert RunFiles(member.run).read_as(Experiment) == member


def test_the_tables_come_first_then_the_checks_and_the_verdicts(conducted: Conducted) -> None:
    assert [shown.title for shown in conducted.shown] == [
        "Main task: accuracy",
        "With rejection: pgd untargeted (L∞ 0.1)",
        "Hidden tasks: accuracy",
        "What hidden tasks add",
        "Sanity checks",
        "main+parity plain",
        "main+parity hardened",
    ]
    assert [[row.labels[0] for row in table.rows] for table in conducted.shown[:4]] == [
        ["main", "main+parity"],
        ["main", "main+parity"],
        ["main+parity"],
        ["main+parity"],
    ]


def test_the_document_begins_with_the_verdicts(conducted: Conducted) -> None:
    text = (conducted.study.folder / "results.md").read_text(encoding="utf-8")
    first, second, table = (text.index(title) for title in ("**main+parity plain**", "Claimed: ", "**Main task"))
    assert first < second < table


def test_the_printed_numbers_stand_in_their_cells(conducted: Conducted) -> None:
    main, rejection, hidden, *_ = conducted.shown
    placed = [
        (row.labels[0], column.block, column.group, column.name, cell.printed)
        for table in (main, rejection, hidden)
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if cell.printed is not None
    ]
    assert placed == [
        ("main", "plain", CLEAN, "", 0.1234),
        ("main+parity", "hardened", "pgd untargeted (L∞ 0.1)", "gray-box", 0.2345),
        ("main+parity", "hardened", CLEAN, "", 0.3456),
    ]


def test_the_results_say_where_they_come_from(conducted: Conducted) -> None:
    text = (conducted.study.folder / "results.md").read_text(encoding="utf-8")
    commit = RunFiles(conducted.study.members[0].run).read_guard().commit or "unknown"
    assert text.startswith("# A try on 8×8 digits\n\n2")
    assert f", commit {commit}, seed 0.\n" in text
    assert text.endswith("\n")
    for shown in conducted.shown:
        assert shown.title in text
    for number in ("12.34", "23.45", "34.56"):
        assert number in text


def test_the_report_shows_all_models_and_printed_numbers(conducted: Conducted) -> None:
    page = (conducted.study.folder / "report.html").read_text(encoding="utf-8")
    assert "A try on 8×8 digits" in page
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    for number, is_hidden in (("12.34", False), ("23.45", False), ("34.56", True)):
        assert [">hidden task<" in table for table in tables if number in table] == [is_hidden], number


def test_a_finished_study_is_not_run_again(conducted: Conducted, quiet: Bars) -> None:
    folder = conducted.study.folder
    runs = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.parent != folder}
    text = (folder / "results.md").read_text(encoding="utf-8")
    again = conducted.study.conduct(quiet)
    assert again == conducted.shown
    assert {path: path.stat().st_mtime_ns for path in runs} == runs
    assert (folder / "results.md").read_text(encoding="utf-8") == text
    assert len(runs) > 40


def test_a_study_of_one_experiment_twice_is_refused(conducted: Conducted, quiet: Bars) -> None:
    first = conducted.study.members[0]
    with pytest.raises(ValueError, match="two experiments would share"):
        replace(conducted.study, members=(first, first)).conduct(quiet)
