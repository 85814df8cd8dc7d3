import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyheads.reports import Cell, Column, Row, Table
from manyheads.reports.cells import EMPTY, LOWER, NOT_MEASURED, percent


def table_of(*cells):
    columns = tuple(Column("plain", "pgd", str(place)) for place in range(len(cells)))
    return Table(title="t", stub=("tasks",), columns=columns, rows=(Row(labels=("main",), cells=cells),))


def test_a_cell_writes_its_number_and_its_asymmetric_interval():
    cell = Cell(value=0.951, low=0.9361, high=0.9629, n=1000)
    assert (cell.text, cell.interval) == ("95.1", "93.6–96.3")


def test_an_empty_denominator_is_a_dash_and_never_a_zero():
    assert Cell(n=0).text == EMPTY


def test_a_cell_that_nobody_measured_says_so():
    assert Cell().text == NOT_MEASURED


def test_a_papers_number_keeps_its_two_decimals():
    assert (Cell(printed=0.9513).paper, Cell().paper) == ("95.13", "")


@pytest.mark.parametrize("name", ["value", "low", "high", "printed"])
def test_percent_instead_of_a_share_is_refused(name):
    with pytest.raises(ValueError, match="divide percent by 100"):
        Cell(**{"value": 0.5, "n": 10, name: 95.1})


@pytest.mark.parametrize("numbers", [{"value": 0.5, "n": 0}, {"value": 0.5}, {"n": 5}])
def test_a_value_of_nothing_and_a_count_of_no_value_are_refused(numbers):
    with pytest.raises(ValueError, match="exactly where n is above zero"):
        Cell(**numbers)


@given(st.floats(1e-6, 1 - 1e-6))
def test_what_is_neither_nothing_nor_all_is_not_written_so(share):
    assert 0 < float(percent(share)) < 100
    assert abs(float(percent(share)) - 100 * share) <= 0.0501


@pytest.mark.parametrize(("share", "text"), [(0.0, "0"), (1.0, "100"), (1 - 1e-12, "100"), (1e-12, "0")])
def test_nothing_and_all_are_written_without_decimals(share, text):
    assert percent(share) == text


def test_columns_are_grouped_in_the_order_in_which_they_stand():
    columns = (Column("a", "clean"), Column("a", "x", "1"), Column("a", "x", "2"), Column("b", "clean"))
    blocks = Table(title="t", stub=("tasks",), columns=columns, rows=()).blocks
    found = [(block.name, [(group.name, group.places) for group in block.groups]) for block in blocks]
    assert found == [("a", [("clean", (0,)), ("x", (1, 2))]), ("b", [("clean", (3,))])]


def test_a_ragged_row_is_refused():
    with pytest.raises(ValueError, match="needs 1 labels and 2 cells, got 1 and 1"):
        Table(
            title="t",
            stub=("tasks",),
            columns=(Column("a", "x"), Column("a", "y")),
            rows=(Row(labels=("main",), cells=(Cell(),)),),
        )


def test_the_footnote_names_a_common_n_once():
    note = table_of(Cell(value=0.5, n=20), Cell(value=0.6, n=20)).footnote
    assert "n = 20 in every cell" in note


def test_the_footnote_names_no_common_n_where_counts_differ():
    note = table_of(Cell(value=0.5, n=20), Cell(value=0.6, n=21)).footnote
    assert "in every cell" not in note


def test_the_footnote_explains_the_marks_and_dashes_that_occur_and_no_others():
    note = table_of(Cell(value=0.5, n=20, mark=LOWER), Cell(n=0)).footnote
    assert f"{LOWER}: clearly worse" in note
    assert f"{EMPTY} is a share of nothing" in note
    assert "worse" not in table_of(Cell(value=0.5, n=20)).footnote
