import polars as pl

from manyheads.reports import (
    Cell,
    Column,
    Row,
    Table,
    Verdict,
    checklist,
    main_table,
    rejection_table,
    to_markdown,
)


def test_every_table_line_of_a_block_has_the_same_number_of_cells(results):
    blocks = to_markdown(rejection_table(results, results.challenges[0])).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 2
    assert {line.count("|") for table in tables for line in table} == {1 + 12 + 1}
    assert {len(table) for table in tables} == {2 + 4}


def test_a_cell_is_the_number_with_its_interval_and_the_papers_number(results):
    text = to_markdown(main_table(results, printed={("main+parity", "plain", "pgd targeted"): 0.003}))
    assert "| 9.7 [7.1, 13.2] (paper 0.30) |" in text


def test_a_count_that_differs_stands_in_its_cell(results):
    assert "92.2 [88.7, 94.7] n = 320" in to_markdown(rejection_table(results, results.challenges[0]))


def test_names_do_not_become_markup():
    row = Row(labels=("a|b*",), cells=(Cell(n=0),))
    text = to_markdown(Table(title="<t>", stub=("tasks",), columns=(Column("", "x"),), rows=(row,)))
    assert r"| a\|b\* | – |" in text
    assert r"**\<t>**" in text


CHECKS = pl.DataFrame(
    [("gray-box ≤ noise", "passed", "1 | 2", 8), ("slope", "failed", "3 %", 8)],
    schema=["check", "outcome", "figures", "n"],
    orient="row",
)


def test_checks_are_one_table():
    text = to_markdown(checklist({"one": CHECKS, "two": CHECKS.head(1)}))
    assert r"| gray-box ≤ noise | ✓ 1 \| 2 (n = 8) | ✓ 1 \| 2 (n = 8) |" in text
    assert "| slope | ✗ 3 % (n = 8) | not measured |" in text


def test_a_verdict_is_a_list_without_empty_lines():
    verdict = Verdict(title="m*", claimed="a", stands="", checks="c", failed=("d",))
    assert to_markdown(verdict) == "**m\\***\n\n- a\n- c\n- ✗ d\n"
