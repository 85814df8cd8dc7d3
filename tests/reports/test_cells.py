import pytest

from manyheads.reports import Cell, Column, Row, Table
from manyheads.reports.cells import EMPTY, LOWER, NOT_MEASURED
from manyheads.reports.measures import CHANGE, POINTS, RATIO, quantity


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


def test_a_number_that_is_no_share_is_written_in_its_unit():
    cell = Cell(value=0.7, low=0.61, high=12.345, n=20, printed=10.8, measure=quantity("m"))
    assert (cell.text, cell.with_unit, cell.interval, cell.paper) == ("0.700", "0.700 m", "0.610–12.3", "10.8")


def test_degrees_stand_close_and_missing_numbers_have_no_unit():
    assert Cell(value=32.5, n=1, measure=quantity("°")).with_unit == "32.5°"
    assert Cell(measure=quantity("m")).with_unit == NOT_MEASURED
    assert Cell(value=0.5, n=4).with_unit == "50.0 %"


def test_a_number_that_is_no_share_needs_no_count_but_a_share_does():
    assert Cell(value=-3.0, measure=CHANGE).text == "-3.0"
    assert Cell(measure=CHANGE, n=0).text == EMPTY
    with pytest.raises(ValueError, match="exactly where n is above zero"):
        Cell(n=3, measure=CHANGE)


def test_a_number_below_what_its_kind_can_be_is_refused():
    with pytest.raises(ValueError, match="a cell's value is at least 0, got -1"):
        Cell(value=-1.0, n=1, measure=RATIO)


def test_a_count_tells_the_seeds_where_there_are_several():
    assert (Cell(value=0.5, n=20).count, Cell(value=0.5, n=20, seeds=3).count) == ("n = 20", "n = 20, 3 seeds")
    assert (Cell().count, Cell(value=1.0, seeds=2, measure=CHANGE).count) == ("", "2 seeds")


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


def test_the_footnote_tells_the_unit_and_what_stands_beside_the_numbers():
    metres = quantity("m")
    assert "Numbers in m." in table_of(Cell(value=0.5, n=2, measure=metres)).footnote
    one = Cell(value=0.5, low=0.4, high=0.6, n=2)
    assert "Numbers in %, with 95 % intervals." in table_of(one).footnote
    mixed = table_of(one, Cell(value=2.0, n=2, measure=metres)).footnote
    assert "Numbers in the units that stand beside them, with 95 % intervals." in mixed
    assert "Plain numbers." in table_of(Cell(value=2.0, n=2, measure=quantity(""))).footnote


def test_the_footnote_of_several_seeds_says_what_is_averaged():
    note = table_of(Cell(value=0.5, low=0.4, high=0.6, n=2, seeds=3)).footnote
    assert "Numbers in %: the mean over several seeds, with the lowest and the highest of them." in note
    assert "n = 2, 3 seeds in every cell" in note


def test_the_footnote_tells_seeds_that_differ_from_single_ones():
    one, three = Cell(value=0.5, low=0.4, high=0.6, n=2), Cell(value=0.5, low=0.4, high=0.6, n=2, seeds=3)
    table = table_of(one, three, Cell(n=0))
    assert "; of one seed with its 95 % interval. n = 2 in every cell." in table.footnote
    assert [table.count_beside(cell) for cell in (one, three, Cell(n=0))] == ["1 seed", "3 seeds", ""]


def test_only_a_count_that_differs_stands_beside_a_cell():
    few, many, none = Cell(value=0.5, n=2, seeds=3), Cell(value=0.5, n=20, seeds=3), Cell(n=0)
    table = table_of(few, many, none)
    assert [table.count_beside(cell) for cell in (few, many, none)] == ["n = 2", "n = 20", "n = 0"]
    assert "3 seeds in every cell" in table.footnote


def test_a_dash_among_other_numbers_is_no_share():
    note = table_of(Cell(n=0, measure=CHANGE), Cell(value=2.0, measure=CHANGE)).footnote
    assert "–: there is nothing to measure." in note
    assert "every cell" not in note


def test_an_interval_in_points_has_words_between_its_signs():
    assert Cell(value=0.0, low=-0.021, high=0.015, n=5, measure=POINTS).interval == "-2.1 to +1.5"
