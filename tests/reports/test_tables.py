import polars as pl
import pytest

from manyheads.reports import ADAPTIVE, CLEAN, GRAY, WHITE, Cell, Results, hidden_table, main_table, rejection_table
from manyheads.reports.cells import HIGHER, LOWER

PRINTED = {
    ("main+parity", "plain", CLEAN): 0.9929,
    ("main+parity", "plain", "pgd targeted"): 0.003,
    ("main+parity+prime", "hardened", "cw untargeted"): 0.8684,
}


def cell(table, labels, *, under):
    """The cell of a row, under a block, a group and a name."""
    row = next(row for row in table.rows if row.labels == labels)
    places = [place for place, column in enumerate(table.columns) if (column.block, column.group, column.name) == under]
    assert len(places) == 1
    return row.cells[places[0]]


def test_main_cells_are_the_numbers_counted_by_hand(results):
    table = main_table(results)
    targeted = "pgd targeted (L∞ 8/255)"
    found = [
        cell(table, ("main+parity+prime",), under=("hardened", targeted, threat)).value for threat in results.threats
    ]
    assert found == [310 / 360, 290 / 360, 282 / 360]
    clean = cell(table, ("main",), under=("hardened", CLEAN, ""))
    assert (clean.value, clean.n) == (345 / 360, 360)
    assert (round(clean.low, 4), round(clean.high, 4)) == (0.9324, 0.9746)


def test_every_attack_has_its_threats_side_by_side(results):
    columns = main_table(results).columns
    for training in results.trainings:
        for challenge in results.challenges:
            names = [one.name for one in columns if (one.block, one.group) == (training, challenge.label)]
            assert names == [GRAY, WHITE, ADAPTIVE]


@pytest.mark.parametrize("build", [main_table, hidden_table])
def test_gray_box_stands_beside_not_measured_where_adaptive_is_missing(build, scores, models):
    table = build(Results(scores.filter(threat=GRAY), models))
    adaptive = [place for place, column in enumerate(table.columns) if column.name == ADAPTIVE]
    assert len(adaptive) == 6
    assert {row.cells[place] for row in table.rows for place in adaptive} == {Cell()}


def test_rejection_stands_beside_not_measured_where_adaptive_is_missing(scores, models):
    results = Results(scores.filter(threat=GRAY), models)
    table = rejection_table(results, results.challenges[0])
    adaptive = [place for place, column in enumerate(table.columns) if column.name == ADAPTIVE]
    assert len(adaptive) == 8
    assert {row.cells[place] for row in table.rows for place in adaptive} == {Cell()}


def test_a_model_that_was_not_measured_has_a_row_all_the_same(scores, models):
    results = Results(scores.filter(pl.col("model") != "main+prime plain"), models)
    assert cell(main_table(results), ("main+prime",), under=("plain", CLEAN, "")) == Cell()
    assert cell(main_table(results), ("main+prime",), under=("hardened", CLEAN, "")).n == 360


def test_a_cell_far_below_gray_box_is_marked_and_a_close_one_is_not(results):
    table = main_table(results)
    marks = {
        threat: cell(table, ("main+parity+prime",), under=("plain", "pgd targeted (L∞ 8/255)", threat)).mark
        for threat in results.threats
    }
    assert marks == {GRAY: "", WHITE: "", ADAPTIVE: LOWER}


def test_papers_numbers_stand_in_clean_and_gray_box_cells_only(results):
    table = main_table(results, printed=PRINTED)
    targeted = "pgd targeted (L∞ 8/255)"
    assert cell(table, ("main+parity",), under=("plain", CLEAN, "")).printed == 0.9929
    assert cell(table, ("main+parity",), under=("plain", targeted, GRAY)).printed == 0.003
    assert sum(one.printed is not None for row in table.rows for one in row.cells) == len(PRINTED)


def test_hidden_tasks_have_a_row_each_and_a_mean_where_there_are_several(results):
    labels = [row.labels for row in hidden_table(results).rows]
    assert labels == [
        ("main+parity", "parity"),
        ("main+prime", "prime"),
        ("main+parity+prime", "parity"),
        ("main+parity+prime", "prime"),
        ("main+parity+prime", "mean"),
    ]


def test_the_mean_of_hidden_tasks_has_no_interval(results):
    found = cell(hidden_table(results), ("main+parity+prime", "mean"), under=("plain", CLEAN, ""))
    assert found == Cell(value=(300 / 360 + 295 / 360) / 2, n=360)


def test_papers_hidden_numbers_stand_in_the_row_that_the_paper_means(results):
    table = hidden_table(results, printed=PRINTED)
    assert cell(table, ("main+parity", "parity"), under=("plain", CLEAN, "")).printed == 0.9929
    unbounded = ("hardened", "cw untargeted (L2 unbounded)", GRAY)
    assert cell(table, ("main+parity+prime", "mean"), under=unbounded).printed == 0.8684
    assert cell(table, ("main+parity+prime", "prime"), under=unbounded).printed is None


def test_a_papers_hidden_number_has_a_row_before_the_model_was_measured(scores, models):
    results = Results(scores.filter(~pl.col("model").str.starts_with("main+parity ")), models)
    table = hidden_table(results, printed=PRINTED)
    assert cell(table, ("main+parity", "hidden"), under=("plain", CLEAN, "")) == Cell(printed=0.9929)


def test_rejection_cells_are_the_numbers_counted_by_hand(results):
    table = rejection_table(results, results.challenges[0])
    row = ("main+parity",)
    # gray-box: 295 right of 360, 40 rejected and all of these wrong
    assert cell(table, row, under=("hardened", "accuracy of accepted", GRAY)).value == 295 / 320
    assert cell(table, row, under=("hardened", "accuracy of accepted", GRAY)).n == 320
    assert cell(table, row, under=("hardened", "rejected", GRAY)).value == 40 / 360
    assert cell(table, row, under=("hardened", "right with reject option", GRAY)).value == 335 / 360
    assert cell(table, row, under=("hardened", "wrong and accepted", GRAY)).value == 25 / 360
    assert cell(table, row, under=("hardened", "right with reject option", ADAPTIVE)).value == 281 / 360
    assert cell(table, row, under=("hardened", "rejected", CLEAN)).value == 4 / 360


def test_more_accepted_errors_are_marked_as_worse_and_more_rejections_are_not(results):
    table = rejection_table(results, results.challenges[0])
    row = ("main+parity",)
    assert cell(table, row, under=("hardened", "wrong and accepted", ADAPTIVE)).mark == HIGHER
    assert cell(table, row, under=("hardened", "right with reject option", ADAPTIVE)).mark == LOWER
    assert cell(table, row, under=("hardened", "rejected", ADAPTIVE)).mark == ""


def test_everything_rejected_leaves_an_empty_cell(scores, models):
    accepted = (
        (pl.col("score") == "accepted_accuracy") & (pl.col("threat") == GRAY) & (pl.col("condition") == "attacked")
    )
    nothing = {name: pl.when(accepted).then(None).otherwise(name) for name in ("value", "low", "high")}
    results = Results(scores.with_columns(**nothing, n=pl.when(accepted).then(0).otherwise("n")), models)
    table = rejection_table(results, results.challenges[0])
    assert cell(table, ("main",), under=("plain", "accuracy of accepted", GRAY)) == Cell(n=0)


def test_noise_has_a_column_where_it_was_measured_and_hurts_no_other(scores, models, results):
    noisy = scores.filter(threat=GRAY, attack="pgd untargeted").with_columns(pl.lit("noise").alias("threat"))
    both = Results(pl.concat([scores, noisy]), models)
    table, without = main_table(both, printed=PRINTED), main_table(results, printed=PRINTED)
    kept = [place for place, column in enumerate(table.columns) if column.name != "noise"]
    assert len(table.columns) == len(without.columns) + 2
    assert [table.columns[place] for place in kept] == list(without.columns)
    assert [tuple(row.cells[place] for place in kept) for row in table.rows] == [row.cells for row in without.rows]
