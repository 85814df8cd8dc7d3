"""Scores of dense tasks: those of a counter that saw every example, with intervals that cover."""

import runpy
import subprocess
import sys
from math import isnan
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from manyheads.evaluation import Facts, dense_scores, evaluate, joined

SCRIPT = Path(__file__).with_name("dense_scene.py")


@pytest.fixture(scope="module")
def dense() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.fixture(scope="module")
def facts(dense) -> Facts:
    return dense.evaluated()


def with_depths(facts: Facts, states: list[list[float] | None]) -> Facts:
    """As many examples as states, whose depth was measured so."""
    table = pl.concat([facts.table.drop(pl.selectors.starts_with("ground."))] * (len(states) // 11 + 1))[: len(states)]
    columns = {f"depth.{when}_state": pl.Series(states, dtype=pl.List(pl.Float64)) for when in ("clean", "attacked")}
    return Facts(table.with_columns(**columns))


def test_scores_are_those_of_a_counter_that_saw_all_frames(dense, facts: Facts) -> None:
    victim, frames, seen = dense.model(), dense.frames(), []
    evaluate(victim, dense.threat(victim), dense.ATTACK, dense.batches(11), observe=seen.append)
    table = dense_scores(facts, dense.TASKS)
    for condition, image in (("clean", frames["image"]), ("attacked", seen[0].image)):
        for task in dense.TASKS[:2]:
            counter = task.metric()
            with torch.no_grad():
                counter.update(victim(image)[task.name], frames[task.name])
            rows = table.filter(condition=condition, task=task.name)
            found = dict(zip(rows["score"], rows["value"], strict=True))
            del found["loss"]
            assert found == pytest.approx(counter.scores(), rel=1e-5)
            assert set(rows["n"]) == {10}


def test_the_mean_loss_is_a_score_too(dense, facts: Facts) -> None:
    table = dense_scores(facts, dense.TASKS).filter(score="loss", condition="attacked", task="depth")
    assert table["value"].item() == pytest.approx(facts.table["depth.attacked_loss"].mean())


def test_each_row_says_whose_score_it_is_in_the_promised_types(dense, facts: Facts) -> None:
    table = dense_scores(facts, dense.TASKS)
    assert table.schema == pl.Schema(
        {
            "model": pl.String, "threat": pl.String, "attack": pl.String, "eps": pl.Float64, "norm": pl.String,
            "condition": pl.String, "score": pl.String, "task": pl.String, "value": pl.Float64, "n": pl.Int64,
            "low": pl.Float64, "high": pl.Float64,
        }
    )  # fmt: skip
    assert table.select("model", "threat", "attack", "eps", "norm").unique().rows() == [
        ("Dense", "all heads", "PGD", 0.05, "Linf")
    ]
    assert set(table["task"]) == {"ground", "depth"}
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_intervals_are_as_wide_as_the_normal_approximation_says(dense, facts: Facts) -> None:
    errors = np.random.default_rng(0).random(400)
    states = [[float(error), 1.0] for error in errors]
    row = dense_scores(with_depths(facts, states), dense.TASKS, resamples=1000).filter(
        condition="clean", task="depth", score="l1"
    )
    half = 1.96 * errors.std() / 20
    assert row["low"].item() == pytest.approx(errors.mean() - half, abs=0.15 * half)
    assert row["high"].item() == pytest.approx(errors.mean() + half, abs=0.15 * half)


def test_examples_weigh_as_much_as_their_states(dense, facts: Facts) -> None:
    row = dense_scores(with_depths(facts, [[9.0, 9.0], [0.0, 1.0]]), dense.TASKS).filter(condition="clean", score="l1")
    assert row["value"].item() == pytest.approx(0.9)
    assert (row["low"].item(), row["high"].item()) == (0.0, 1.0)


def test_a_score_of_nothing_is_null(dense, facts: Facts) -> None:
    row = dense_scores(with_depths(facts, [[0.0, 0.0]] * 3), dense.TASKS).filter(condition="clean", score="l1")
    assert row.select("value", "low", "high").row(0) == (None, None, None)
    assert isnan(dense.TASKS[1].metric().scores()["l1"])


def test_a_task_without_targets_has_no_row(dense, facts: Facts) -> None:
    assert dense_scores(with_depths(facts, [None, None]), dense.TASKS).is_empty()


def test_the_seed_decides_the_intervals_and_nothing_else(dense, facts: Facts) -> None:
    first, again, other = (dense_scores(facts, dense.TASKS, seed=seed) for seed in (0, 0, 1))
    assert_frame_equal(first, again)
    assert_frame_equal(first.drop("low", "high"), other.drop("low", "high"))
    assert not first.equals(other)


def test_models_and_attacks_are_scored_apart(dense, facts: Facts) -> None:
    single = facts.table.drop(pl.selectors.starts_with("depth."))
    both = joined([facts, Facts(single).labelled(model="single", attack="PGD")])
    table = dense_scores(both, dense.TASKS)
    assert_frame_equal(table.filter(model="Dense"), dense_scores(facts, dense.TASKS))
    assert set(table.filter(model="single")["task"]) == {"ground"}


def test_a_task_whose_counter_is_unknown_is_named(dense, facts: Facts) -> None:
    with pytest.raises(ValueError, match="the facts speak of depth; hand in these tasks, got: ground"):
        dense_scores(facts, dense.TASKS[:1])


def test_an_interval_needs_a_draw(dense, facts: Facts) -> None:
    with pytest.raises(ValueError, match="at least one draw of the examples, got resamples=0"):
        dense_scores(facts, dense.TASKS, resamples=0)


def test_two_processes_give_the_numbers_of_one(dense, facts: Facts, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = [Facts.load(tmp_path / f"{rank}.parquet") for rank in (0, 1)]
    assert_frame_equal(parts[0].table, parts[1].table)
    assert_frame_equal(parts[0].table, facts.table, abs_tol=1e-5)
    assert_frame_equal(dense_scores(parts[0], dense.TASKS), dense_scores(facts, dense.TASKS), abs_tol=1e-5)
