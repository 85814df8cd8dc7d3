import polars as pl
import pytest

from manyheads.reports import Challenge, DenseResults

PGD = Challenge(attack="pgd", norm="Linf", eps=4 / 255)


def of(results, *, model="s", condition="clean"):
    known = {"task": "segmentation", "score": "miou"}
    attacked = {"threat": "single-task", "challenge": PGD}
    return {"clean": results.clean, "attacked": results.attacked}[condition](
        model, **known, **(attacked if condition == "attacked" else {})
    )


def test_names_stand_in_order(dense):
    assert dense.models == ("s d", "s", "d")
    assert dense.threats == ("single-task", "multi-task")
    assert dense.tasks() == ("segmentation", "depth")
    assert dense.tasks("d") == ("depth",)


def test_models_of_a_task_begin_with_the_one_of_fewest_tasks(dense):
    assert dense.having("segmentation") == ("s", "s d")


def test_attacks_of_one_name_are_sorted_by_size(dense):
    assert [(one.attack, round(one.eps * 255)) for one in dense.challenges("single-task")] == [
        ("fgsm", 4),
        ("pgd", 1),
        ("pgd", 4),
    ]


def test_a_headline_is_the_first_that_was_measured(dense):
    assert [dense.headline(task) for task in ("segmentation", "depth")] == ["miou", "absolute_error"]
    with pytest.raises(ValueError, match=r"'normals' needs one of the scores miou, .*; it has no scores at all"):
        dense.headline("normals")


def test_one_seed_has_its_interval(dense):
    cell = of(dense, condition="attacked")
    assert (cell.value, cell.low, cell.n, cell.seeds) == (pytest.approx(0.075), pytest.approx(0.0675), 50, 1)


def test_several_seeds_give_their_mean_between_the_lowest_and_the_highest(dense):
    value = pl.col("value")
    parts = [
        dense.scores.with_columns(value * factor, pl.lit(seed).alias("seed"))
        for seed, factor in ((0, 0.9), (1, 1.0), (5, 1.4))
    ]
    cell = of(DenseResults(pl.concat(parts)))
    assert (cell.value, cell.low, cell.high) == pytest.approx((0.33, 0.27, 0.42))
    assert (cell.seeds, cell.n) == (3, 50)


def test_a_seed_that_measured_nothing_does_not_count(dense):
    value = pl.when(seed=1).then(None).otherwise("value").alias("value")
    both = pl.concat([dense.scores.with_columns(pl.lit(seed).alias("seed")) for seed in (0, 1)])
    cell = of(DenseResults(both.with_columns(value)))
    assert (cell.value, cell.seeds) == (pytest.approx(0.3), 1)


def test_clean_scores_are_those_of_most_examples(dense):
    fewer = pl.when(pl.col("attack") == "fgsm").then(10).otherwise("n").alias("n")
    value = pl.when(pl.col("attack") == "fgsm").then(0.9).otherwise("value").alias("value")
    changed = dense.scores.with_columns(fewer, value)
    assert of(DenseResults(changed)).value == pytest.approx(0.3)


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_what_was_measured_on_nothing_is_told_apart_from_what_was_not_measured(dense, nothing):
    empty = DenseResults(dense.scores.with_columns(pl.lit(nothing, dtype=pl.Float64).alias("value")))
    assert of(empty).n == 0
    assert of(dense, model="n").n is None


def test_units_are_those_of_the_task(dense):
    assert dense.measure("depth", score="absolute_error").unit == "m"
    disparity = DenseResults(dense.scores, units={"depth": "px"})
    assert disparity.measure("depth", score="absolute_error").unit == "px"


def test_a_missing_column_is_refused(dense):
    with pytest.raises(ValueError, match="scores lack the columns task; they have model"):
        DenseResults(dense.scores.drop("task"))


def test_a_score_that_stands_twice_is_refused(dense):
    with pytest.raises(ValueError, match="tell seeds apart by a column `seed`"):
        DenseResults(pl.concat([dense.scores, dense.scores]))
