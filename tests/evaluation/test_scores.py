"""Scores, against a table by hand and scikit-learn."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from manyheads.evaluation import Facts, joined, scores, wilson

BY_HAND = [
    # condition, score, task, successes, trials
    ("clean", "accuracy", "digit", 3, 5),
    ("clean", "accuracy", "parity", 4, 5),
    ("clean", "accepted_accuracy", "digit", 2, 3),
    ("clean", "rejection_rate", "digit", 2, 5),
    ("clean", "accuracy_with_rejection", "digit", 2, 5),
    ("clean", "accepted_error", "digit", 1, 5),
    ("clean", "all_fooled", "digit+parity", 0, 5),
    ("clean", "any_fooled", "digit+parity", 3, 5),
    ("attacked", "accuracy", "digit", 2, 5),
    ("attacked", "accuracy", "parity", 4, 5),
    ("attacked", "accepted_accuracy", "digit", 1, 2),
    ("attacked", "rejection_rate", "digit", 3, 5),
    ("attacked", "accuracy_with_rejection", "digit", 4, 5),
    ("attacked", "accepted_error", "digit", 1, 5),
    ("attacked", "all_fooled", "digit+parity", 0, 5),
    ("attacked", "any_fooled", "digit+parity", 4, 5),
]


def drawn(seed: int, *, like: Facts) -> Facts:
    """Sixty random answers and rejections."""
    generator = np.random.default_rng(seed)
    table = {name: [like.table[name][0]] * 60 for name in like.table.columns}
    table |= {name: generator.integers(0, 4, 60) for name in table if "digit" in name}
    table |= {name: generator.integers(0, 2, 60) for name in table if "parity" in name}
    table |= {name: generator.random(60) < 0.4 for name in table if "rejected" in name}
    return Facts(pl.DataFrame(table))


def value(table: pl.DataFrame, condition: str, *, score: str, task: str = "digit") -> float:
    return table.filter(condition=condition, score=score, task=task)["value"].item()


def test_every_score_is_what_a_table_by_hand_says(facts: Facts) -> None:
    table = scores(facts)
    found = [
        (row["condition"], row["score"], row["task"], row["value"], row["n"]) for row in table.iter_rows(named=True)
    ]
    expected = [(condition, score, task, hits / n, n) for condition, score, task, hits, n in BY_HAND]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(("condition", "score", "task", "successes", "trials"), BY_HAND)
def test_every_score_has_its_interval(
    facts: Facts, *, condition: str, score: str, task: str, successes: int, trials: int
) -> None:
    row = scores(facts).filter(condition=condition, score=score, task=task)
    assert (row["low"].item(), row["high"].item()) == pytest.approx(wilson(successes, trials=trials))


def test_each_row_says_whose_score_it_is_in_the_promised_types(facts: Facts) -> None:
    table = scores(facts)
    assert table.schema == pl.Schema(
        {
            "model": pl.String, "threat": pl.String, "attack": pl.String, "eps": pl.Float64, "norm": pl.String,
            "main": pl.String, "condition": pl.String, "score": pl.String, "task": pl.String, "value": pl.Float64,
            "low": pl.Float64, "high": pl.Float64, "n": pl.Int64,
        }
    )  # fmt: skip
    assert table.select("model", "threat", "attack", "eps", "norm", "main").unique().row(0) == (
        "m", "gray-box", "pgd", 0.3, "Linf", "digit",
    )  # fmt: skip


@given(seed=st.integers(0, 2**32 - 1))
def test_accuracies_are_scikit_learns(facts: Facts, seed: int) -> None:
    answers = drawn(seed, like=facts)
    table, columns = scores(answers), answers.table
    for condition in ("clean", "attacked"):
        for task in ("digit", "parity"):
            expected = accuracy_score(columns[f"{task}.truth"], columns[f"{task}.{condition}"])
            assert value(table, condition, score="accuracy", task=task) == pytest.approx(expected)
        kept = columns.filter(~columns[f"rejected_{condition}"])
        expected = accuracy_score(kept["digit.truth"], kept[f"digit.{condition}"])
        assert value(table, condition, score="accepted_accuracy") == pytest.approx(expected)


@given(seed=st.integers(0, 2**32 - 1))
def test_scores_of_one_condition_add_up(facts: Facts, seed: int) -> None:
    table = scores(drawn(seed, like=facts))
    for condition in ("clean", "attacked"):
        accepted = 1 - value(table, condition, score="rejection_rate")
        right = value(table, condition, score="accepted_accuracy") * accepted
        assert right + value(table, condition, score="accepted_error") == pytest.approx(accepted)
    attacked = value(table, "attacked", score="accuracy_with_rejection")
    assert attacked == pytest.approx(1 - value(table, "attacked", score="accepted_error"))
    assert value(table, "clean", score="accuracy_with_rejection") == pytest.approx(right_and_accepted(table))


def right_and_accepted(table: pl.DataFrame) -> float:
    accepted = 1 - value(table, "clean", score="rejection_rate")
    return value(table, "clean", score="accepted_accuracy") * accepted


def test_where_nothing_is_accepted_its_accuracy_is_null_of_none(facts: Facts) -> None:
    shut = facts.table.with_columns(
        pl.lit(value=True).alias("rejected_clean"), pl.lit(value=True).alias("rejected_attacked")
    )
    table = scores(Facts(shut))
    empty = table.filter(score="accepted_accuracy")
    assert empty.select("value", "low", "high", "n").rows() == [(None, None, None, 0)] * 2
    assert value(table, "attacked", score="accuracy_with_rejection") == 1.0
    assert value(table, "clean", score="accuracy_with_rejection") == 0.0


def test_without_a_guard_nothing_is_rejected(facts: Facts) -> None:
    nothing = [pl.lit(None, pl.Float64).alias(f"score_{when}") for when in ("clean", "attacked")]
    open_ = [pl.lit(value=False).alias(f"rejected_{when}") for when in ("clean", "attacked")]
    table = scores(Facts(facts.table.with_columns(*nothing, *open_)))
    for condition in ("clean", "attacked"):
        assert value(table, condition, score="rejection_rate") == 0
        accuracy = value(table, condition, score="accuracy")
        assert value(table, condition, score="accepted_accuracy") == accuracy
        assert value(table, condition, score="accuracy_with_rejection") == accuracy


@pytest.mark.parametrize(
    ("column", "other"), [("model", "n"), ("threat", "adaptive"), ("attack", "cw"), ("eps", 0.1), ("norm", "L2")]
)
def test_each_model_threat_attack_and_budget_has_its_own_scores(facts: Facts, column: str, other: object) -> None:
    wrong = facts.table.with_columns(pl.lit(other).alias(column), pl.col("digit.truth").alias("digit.attacked"))
    table = scores(joined([facts, replace(facts, table=wrong)]))
    assert len(table) == 2 * len(BY_HAND)
    assert value(table.filter(pl.col(column) == other), "attacked", score="accuracy") == 1.0
    assert value(table.filter(pl.col(column) != other), "attacked", score="accuracy") == 0.4


def test_a_task_that_a_model_lacks_has_no_score_of_it(facts: Facts) -> None:
    lacking = facts.table.drop("parity.truth", "parity.clean", "parity.attacked")
    table = scores(joined([facts, Facts(lacking).labelled(model="single", attack="pgd")]))
    assert set(table.filter(model="single")["task"]) == {"digit"}


def test_examples_without_a_task_do_not_count_for_it(facts: Facts) -> None:
    names = [f"parity.{what}" for what in ("truth", "clean", "attacked")]
    partly = facts.table.with_columns(pl.when(pl.col("index") < 3).then(pl.col(name)).alias(name) for name in names)
    row = scores(Facts(partly)).filter(condition="clean", score="accuracy", task="parity")
    assert (row["value"].item(), row["n"].item()) == (pytest.approx(2 / 3), 3)


@given(seed=st.integers(0, 2**32 - 1))
def test_heads_are_fooled_together_at_most_as_often_as_the_hardest_and_any_at_least_as_often_as_the_easiest(
    facts: Facts, seed: int
) -> None:
    table = scores(drawn(seed, like=facts))
    for condition in ("clean", "attacked"):
        wrong = [1 - value(table, condition, score="accuracy", task=task) for task in ("digit", "parity")]
        every, some = (value(table, condition, score=f"{what}_fooled", task="digit+parity") for what in ("all", "any"))
        assert every + some == pytest.approx(sum(wrong))
        assert 0 <= every <= min(wrong)
        assert max(wrong) <= some <= 1


def test_only_examples_that_have_all_tasks_are_fooled_together(facts: Facts) -> None:
    names = [f"parity.{what}" for what in ("truth", "clean", "attacked")]
    partly = facts.table.with_columns(pl.when(pl.col("index") > 2).then(pl.col(name)).alias(name) for name in names)
    rows = scores(Facts(partly)).filter(condition="attacked", task="digit+parity")
    assert dict(zip(rows["score"], rows["value"], strict=True)) == {"all_fooled": 0.0, "any_fooled": 1.0}
    assert rows["n"].to_list() == [2, 2]
