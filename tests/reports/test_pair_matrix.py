import polars as pl
import pytest

from manyheads.reports import Pairs, pair_table
from manyheads.reports.pair_matrix import evaluation_label


def test_rows_and_columns_are_the_tasks(pairs):
    assert (pairs.evaluations, pairs.mains, pairs.auxiliaries) == (
        ("clean", "pgd50_eps4"),
        ("segmentation", "depth"),
        ("segmentation", "depth"),
    )


def test_clean_images_stand_first(pairs):
    turned = Pairs(pairs.frame.reverse())
    assert turned.evaluations == ("clean", "pgd50_eps4")


def test_the_diagonal_has_no_gain_even_where_zero_is_printed(pairs):
    zeros = Pairs(pairs.frame.with_columns(pl.col("relative_improvement_percent").fill_null(0.0)))
    assert zeros.gain("pgd50_eps4", main="depth", auxiliary="depth") is None
    assert zeros.gains("pgd50_eps4") == (-5.0, 20.0)


def test_means_leave_out_what_was_not_measured(pairs):
    assert pairs.over_auxiliaries("clean", main="segmentation") == 10.0
    assert pairs.over_auxiliaries("clean", main="depth") is None
    assert pairs.over_mains("pgd50_eps4", auxiliary="segmentation") == 20.0


def test_a_summary_counts_the_pairs_that_are_better(pairs):
    assert pairs.summary("pgd50_eps4").startswith("Under attack: PGD-50, ε = 4/255: 1 of 2 pairs are better")
    assert "the mean over all pairs is +7.5\u00a0%" in pairs.summary("pgd50_eps4")
    assert Pairs(pairs.frame.filter(main_task="depth")).summary("clean") == "Clean images: no pair was measured."


def test_a_table_has_the_baseline_the_gains_and_the_means(pairs):
    table = pair_table(pairs, evaluation="pgd50_eps4")
    cells = {row.labels[0]: [cell.text for cell in row.cells] for row in table.rows}
    assert cells == {
        "segmentation (%)": ["3.00", "–", "-5.0", "-5.0"],
        "depth (m)": ["3.20", "+20.0", "–", "+20.0"],
        "mean": ["–", "+20.0", "-5.0", "+7.5"],
    }


def test_a_pair_that_nobody_measured_says_so(pairs):
    rows = pair_table(pairs, evaluation="clean").rows
    assert rows[1].cells[1].text == "not measured"


def test_a_papers_gains_stand_below_ours(pairs):
    table = pair_table(pairs, evaluation="clean", printed=pairs)
    assert [cell.paper for cell in table.rows[0].cells] == ["", "", "+10.00", "+10.00"]


@pytest.mark.parametrize(
    ("name", "label"), [("fgsm", "Under attack: FGSM"), ("mim100_eps8", "Under attack: MIM-100, ε = 8/255")]
)
def test_evaluations_have_readable_names(name, label):
    assert evaluation_label(name) == label


def test_a_missing_column_is_refused(pairs):
    with pytest.raises(ValueError, match="lacks the columns auxiliary_task"):
        Pairs(pairs.frame.drop("auxiliary_task"))


def test_an_empty_matrix_is_refused(pairs):
    with pytest.raises(ValueError, match="at least one pair, got none"):
        Pairs(pairs.frame.clear())


def test_a_pair_that_stands_twice_is_refused(pairs):
    with pytest.raises(ValueError, match="a pair stands twice in one evaluation"):
        Pairs(pl.concat([pairs.frame, pairs.frame]))
