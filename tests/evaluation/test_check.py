import polars as pl
import pytest
from scipy.stats import norm

from manyheads.evaluation.check import ONE_SIDED, SURE, Check, check_table, judged


def test_a_check_that_was_carried_out_passes_or_fails() -> None:
    assert judged(passed=True, check="a", figures="b", n=3) == Check("a", "passed", "b", 3)
    assert judged(passed=False, check="a", figures="b", n=3) == Check("a", "failed", "b", 3)


def test_checks_become_a_table() -> None:
    table = check_table([Check("a", "passed", "x", 3), Check("b", "not applicable", "y", 0)])
    assert table.rows() == [("a", "passed", "x", 3), ("b", "not applicable", "y", 0)]
    assert table.schema == {"check": pl.String, "outcome": pl.String, "figures": pl.String, "n": pl.Int64}


def test_no_checks_are_an_empty_table() -> None:
    assert check_table([]).columns == ["check", "outcome", "figures", "n"]


def test_the_quantile_is_that_of_the_level() -> None:
    assert pytest.approx(norm.ppf(1 - SURE)) == ONE_SIDED
