from io import StringIO

import pytest
from rich.console import Console

from manyheads.reports import (
    Cell,
    Column,
    Results,
    Row,
    Table,
    hidden_table,
    main_table,
    rejection_table,
    to_rich,
)


def drawn(table, *, width=118):
    file = StringIO()
    Console(file=file, width=400, color_system=None).print(to_rich(table, width=width))
    return file.getvalue()


def small(*cells, names=("a", "b")):
    columns = tuple(Column("plain", "pgd", name) for name in names)
    return Table(title="title", stub=("tasks",), columns=columns, rows=(Row(labels=("main",), cells=cells),))


@pytest.mark.parametrize("width", [50, 53, 57, 61, 66, 100, 118])
def test_every_table_of_a_study_fits(width, results):
    tables = [main_table(results), hidden_table(results), rejection_table(results, results.challenges[0])]
    for table in tables:
        assert max(map(len, drawn(table, width=width).splitlines())) <= width


def test_all_numbers_of_one_training_stand_in_one_block_at_full_width(results):
    lines = drawn(main_table(results)).splitlines()
    assert sum(line.startswith("tasks") for line in lines) == len(results.trainings)


def test_a_narrow_terminal_cuts_between_attacks_and_loses_nothing(results):
    text = drawn(main_table(results), width=60)
    for number in ("86.1", "80.6", "78.3", "82.8", "77.2", "75.0", "79.4", "73.9", "71.7"):
        assert number in text


def test_a_number_stands_above_its_interval(results):
    lines = drawn(main_table(results)).splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("main+parity+prime") and "86.1" in line)
    assert lines[place + 1].split()[:3] == ["93.2–97.5", "82.2–89.3", "76.2–84.3"]


def test_missing_and_empty_cells_are_told_apart():
    text = drawn(small(Cell(), Cell(n=0)))
    assert "measured" in text
    assert "–" in text
    assert "n 0" not in drawn(small(Cell(n=0), Cell(value=0.5, n=10)))


def test_differing_counts_stand_in_their_cells():
    text = drawn(small(Cell(value=0.5, n=10), Cell(value=0.5, n=12)))
    assert "n 10" in text
    assert "n 12" in text


def test_the_papers_number_stands_in_brackets():
    text = drawn(small(Cell(value=0.5, n=10, printed=0.4821), Cell(value=0.5, n=10)))
    assert "(48.21)" in text
    assert "In brackets: the paper's number." in text


def test_names_are_not_read_as_markup(scores, models):
    renamed = models.with_columns(combination="[red]" + models["combination"])
    assert "[red]main" in drawn(main_table(Results(scores, renamed)))


def test_repeated_labels_are_written_once(results):
    text = drawn(hidden_table(results))
    assert text.count("main+parity+prime") == text.count("mean")


def test_a_terminal_too_narrow_for_one_column_is_refused(results):
    with pytest.raises(ValueError, match="needs more than 20 columns of text"):
        to_rich(main_table(results), width=20)
