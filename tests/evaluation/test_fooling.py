"""Fooling ratio, target accuracy and transfer, against tables by hand."""

from dataclasses import replace

import polars as pl
import pytest
from torch import nn

from manyheads.attacks import Generative
from manyheads.evaluation import Facts, evaluate, fooling_scores, joined, scores, transfer_matrix, wilson
from manyheads.models import Universal, mta_generator, seeded
from manyheads.threats import Linf

BY_HAND = [
    # condition, score, task, successes, trials
    ("attacked", "fooling_ratio", "digit", 1, 5),
    ("clean", "accuracy", "digit", 3, 5),
    ("attacked", "accuracy", "digit", 2, 5),
    ("clean", "target_accuracy", "digit", 0, 5),
    ("attacked", "target_accuracy", "digit", 1, 5),
    ("attacked", "fooling_ratio", "parity", 1, 5),
    ("clean", "accuracy", "parity", 4, 5),
    ("attacked", "accuracy", "parity", 3, 5),
]


@pytest.fixture
def told(facts: Facts) -> Facts:
    """The facts by hand, with a parity that the attack changes."""
    return Facts(facts.table.with_columns(pl.Series("parity.attacked", [1, 0, 0, 0, 0])))


def test_every_score_is_what_a_table_by_hand_says_with_its_interval(told: Facts) -> None:
    table = fooling_scores(told, targets={"digit": 2})
    found = {
        (row["condition"], row["score"], row["task"]): (row["value"], row["low"], row["high"], row["n"])
        for row in table.iter_rows(named=True)
    }
    expected = {key: (hits / n, *wilson(hits, trials=n), n) for *key, hits, n in BY_HAND for key in [tuple(key)]}
    assert found.keys() == expected.keys()
    assert all(found[key] == pytest.approx(value) for key, value in expected.items())


def test_accuracies_are_those_of_the_plain_scores(told: Facts) -> None:
    chosen = pl.col("score") == "accuracy"
    first, second = (table.filter(chosen).sort("condition", "task") for table in (scores(told), fooling_scores(told)))
    assert first.equals(second)
    assert len(first) == 4


def test_an_example_without_a_class_is_fooled_too_but_never_right(told: Facts) -> None:
    unknown = Facts(told.table.with_columns(pl.Series("digit.truth", [None, 2, 3, 0, None], dtype=pl.Int64)))
    table = fooling_scores(unknown, targets={"digit": 2}).filter(task="digit", condition="attacked")
    assert dict(zip(table["score"], table["n"], strict=True)) == {
        "fooling_ratio": 5,
        "accuracy": 3,
        "target_accuracy": 5,
    }
    assert dict(zip(table["score"], table["value"] * table["n"], strict=True)) == pytest.approx(
        {"fooling_ratio": 1, "accuracy": 1, "target_accuracy": 1}
    )


def test_a_model_without_the_task_has_no_score_of_it(told: Facts) -> None:
    single = Facts(told.table.drop("parity.truth", "parity.clean", "parity.attacked")).labelled(model="s", attack="pgd")
    table = fooling_scores(joined([told, single]))
    assert set(table.filter(model="s")["task"]) == {"digit"}
    assert set(table.filter(model="m")["task"]) == {"digit", "parity"}


def test_a_target_of_no_classification_task_is_refused(told: Facts) -> None:
    with pytest.raises(ValueError, match="targets are given for depth, but the facts' classification tasks are digit"):
        fooling_scores(told, targets={"depth": 0})


def test_a_generator_is_evaluated_like_any_attack(scene) -> None:
    perturber = seeded(lambda: Universal(mta_generator(["digit"], channels=1, width=2), size=(8, 8)), seed=0)
    wide = {**scene.examples, "image": scene.examples["image"].repeat(1, 1, 2, 2)}
    perturber.to(wide["image"].device)
    model = nn.Sequential(nn.AvgPool2d(2), scene.model)
    threat = replace(scene.threat, model=model, budget=Linf(0.3))
    parts = [{name: value[rows] for name, value in wide.items()} for rows in (slice(0, 7), slice(7, 24))]
    found, whole = (evaluate(model, threat, Generative(perturber, "digit"), batches) for batches in (parts, [wide]))
    assert found.table.equals(whole.table)
    assert found.table["attack"].unique().to_list() == ["Generative"]
    assert found.table["size"].to_list() == pytest.approx([0.3] * 24, abs=0.1)
    ratio = fooling_scores(found).filter(score="fooling_ratio", task="digit")["value"].item()
    assert ratio == (found.table["digit.clean"] != found.table["digit.attacked"]).mean()


def across(*victims: tuple[str, str, float]) -> pl.DataFrame:
    """Scores of threats on models."""
    row = {"attack": "mta", "eps": 0.1, "norm": "Linf", "main": "digit", "condition": "attacked", "task": "digit"}
    return pl.DataFrame(
        [
            {**row, "score": "fooling_ratio", "threat": threat, "model": model, "value": value}
            for threat, model, value in victims
        ]
    )


def test_the_transfer_matrix_has_a_row_per_threat_and_a_column_per_model() -> None:
    table = across(("split", "split", 0.9), ("split", "mtan", 0.4), ("mtan", "split", 0.3), ("mtan", "mtan", 0.8))
    found = transfer_matrix(table, score="fooling_ratio", task="digit")
    assert found.columns == ["threat", "split", "mtan"]
    assert found.rows() == [("split", 0.9, 0.4), ("mtan", 0.3, 0.8)]


def test_what_was_not_measured_is_null_in_the_transfer_matrix() -> None:
    found = transfer_matrix(across(("split", "split", 0.9), ("mtan", "mtan", 0.8)), score="fooling_ratio", task="digit")
    assert found.rows() == [("split", 0.9, None), ("mtan", None, 0.8)]


def test_a_score_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no attacked 'mIoU' of task 'digit'; its scores are fooling_ratio"):
        transfer_matrix(across(("a", "a", 0.9)), score="mIoU", task="digit")


def test_several_values_of_one_place_are_refused() -> None:
    table = across(("a", "a", 0.9), ("a", "b", 0.8), ("a", "b", 0.7))
    with pytest.raises(ValueError, match=r"several 'fooling_ratio' of threat 'a' on model 'b'.*filter the table"):
        transfer_matrix(table, score="fooling_ratio", task="digit")
