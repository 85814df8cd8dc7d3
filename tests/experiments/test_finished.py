"""Finished runs, told apart by their tasks and their training, and compared."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import polars as pl
import pytest

from manyheads.evaluation import Facts, gains, joined
from manyheads.experiments import (
    Bars,
    Data,
    Experiment,
    Finished,
    Hardening,
    Outcome,
    RunFiles,
    Training,
    combination,
    run,
    training,
)
from manyheads.experiments.finished import title

Make = Callable[..., Experiment]
HARDENED, PLAIN = Training(hardening=Hardening()), Training()


@pytest.fixture(scope="module")
def alone(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of the same name, without hidden tasks."""
    return run(tiny(tmp_path_factory.mktemp("alone"), hidden={}), quiet)


@pytest.fixture(scope="module")
def finished(outcome: Outcome, alone: Outcome) -> Finished:
    return Finished((alone.files, outcome.files))


def claimed(folder: Path, *, done: bool = True, **changes: object) -> RunFiles:
    """A run that is only named, and maybe finished."""
    experiment = replace(Experiment("a", data=Data("digits"), folder=folder), **changes)
    files = RunFiles(experiment.run)
    files.claim(experiment)
    (files.scores if done else files.experiment).touch()
    return files


def test_a_model_is_called_after_its_tasks_and_its_training(tiny: Make) -> None:
    one = tiny(Path("runs"))
    assert (combination(one), training(one), title(one)) == (
        "main+parity+prime",
        "hardened",
        "main+parity+prime hardened",
    )
    bare = replace(one, hidden={}, training=PLAIN)
    assert title(bare) == "main plain"


def test_scores_of_runs_of_one_name_are_told_apart(finished: Finished, alone: Outcome, outcome: Outcome) -> None:
    found = finished.everything.scores
    for one, name in ((alone, "main hardened"), (outcome, "main+parity+prime hardened")):
        theirs = found.filter(pl.col("model") == name, threat="gray-box").drop("model")
        assert theirs.equals(one.scores.filter(threat="gray-box").drop("model"))
    assert finished.everything.models.rows() == [
        ("main hardened", "main", "hardened"),
        ("main+parity+prime hardened", "main+parity+prime", "hardened"),
    ]


def test_without_hidden_heads_white_box_is_gray_box(finished: Finished) -> None:
    bare = finished.everything.scores.filter(model="main hardened")
    white, gray = (bare.filter(threat=threat).drop("threat") for threat in ("white-box", "gray-box"))
    assert len(white) > 0
    assert white.equals(gray)
    full = finished.everything.scores.filter(model="main+parity+prime hardened")
    assert not full.filter(threat="white-box").drop("threat").equals(full.filter(threat="gray-box").drop("threat"))


def test_results_are_at_the_trials_own_budgets(finished: Finished) -> None:
    assert set(finished.everything.scores["attack", "eps"].rows()) == {
        ("pgd untargeted", 0.1),
        ("cw", float("inf")),
        ("pgd untargeted", 0.05),
    }
    assert set(finished.results.scores["attack", "eps"].rows()) == {("pgd untargeted", 0.1), ("cw", float("inf"))}


def test_the_date_is_that_of_the_last_scores(outcome: Outcome, alone: Outcome, tmp_path: Path) -> None:
    folders = []
    for one, when in ((outcome, 86_400 * 3), (alone, 86_400 * 2)):
        folder = tmp_path / str(when)
        folder.mkdir()
        for path in (one.files.experiment, one.files.scores):
            (folder / path.name).write_bytes(path.read_bytes())
        os.utime(folder / "scores.parquet", (when, when))
        folders.append(RunFiles(folder))
    assert Finished(tuple(folders)).date == "1970-01-04"


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a report needs at least one finished run, got none"):
        Finished(())


def test_a_run_without_scores_is_refused(tmp_path: Path) -> None:
    files = claimed(tmp_path, done=False)
    with pytest.raises(ValueError, match=r"these runs have no scores yet: .*a; run them first"):
        Finished((files,))


def test_two_models_that_no_table_could_tell_apart_are_refused(tmp_path: Path) -> None:
    two = (claimed(tmp_path, name="seed0"), claimed(tmp_path, name="seed1", seed=1))
    with pytest.raises(ValueError, match=r"seed0 and .*seed1 both hold a model 'main plain', .*report each by itself"):
        Finished(two)


def test_gains_are_those_of_the_facts_at_the_trials_own_budgets(examined: tuple[Outcome, Outcome]) -> None:
    alone, many = examined
    finished = Finished((alone.files, many.files))
    names = ("main hardened", "main+parity+prime hardened")
    tables = [
        Facts(one.facts.table.with_columns(pl.lit(name).alias("model")))
        for one, name in zip(examined, names, strict=True)
    ]
    assert finished.gains.equals(gains([joined(tables)], baselines={names[1]: names[0]}))
    assert set(finished.gains["threat"]) == {
        "clean",
        "noise",
        "transfer",
        "gray-box",
        "white-box",
        "adaptive",
        "worst of all",
    }


def test_a_model_by_itself_gains_nothing(outcome: Outcome) -> None:
    assert Finished((outcome.files,)).gains.is_empty()


def test_runs_whose_facts_are_gone_have_no_gains(examined: tuple[Outcome, Outcome], tmp_path: Path) -> None:
    folders = []
    for one in examined:
        folder = tmp_path / one.experiment.name
        folder.mkdir()
        for path in (one.files.experiment, one.files.scores):
            (folder / path.name).write_bytes(path.read_bytes())
        folders.append(RunFiles(folder))
    assert Finished(tuple(folders)).gains.is_empty()


def test_every_model_with_hidden_tasks_has_a_baseline_whose_facts_are_there(examined: tuple[Outcome, Outcome]) -> None:
    alone, many = examined
    both = Finished((alone.files, many.files))
    assert both.baselines == {"main+parity+prime hardened": "main hardened"}
    assert Finished((many.files,)).baselines == {}
    assert both.facts is not None
    assert set(both.facts.table["model"]) == {"main hardened", "main+parity+prime hardened"}


def test_checks_are_those_of_the_runs_that_have_any(examined: tuple[Outcome, Outcome], tmp_path: Path) -> None:
    alone, many = examined
    copytree(alone.files.folder, bare := tmp_path / "bare", ignore=lambda *_: {alone.files.sanity.name})
    finished = Finished((RunFiles(bare), many.files))
    assert list(finished.checks) == ["main+parity+prime hardened"]
    assert finished.checks["main+parity+prime hardened"].equals(pl.read_parquet(many.files.sanity))
