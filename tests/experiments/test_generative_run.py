from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from manyheads.experiments import Bars, Devices, Outcome, RunFiles, conclude, run, sweep
from manyheads.experiments.sweep import victims_of


@pytest.fixture(scope="module")
def dense(tiny_generative, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The finished run of a generator against rooms, which a test must leave as it is."""
    return run(tiny_generative(tmp_path_factory.mktemp("dense"), dense=True), quiet)


def test_victims_are_run_first_to_their_own_scores(dense: Outcome) -> None:
    for victim in dense.experiment.victim_runs.values():
        assert RunFiles(victim.run).scores.exists()


def test_scores_are_of_each_task_on_each_model(dense: Outcome) -> None:
    tasks = ("segmentation", "depth", "normals")
    seen = set(dense.scores["model", "threat", "attack"].rows())
    assert seen == {
        *(("rooms", task, attack) for task in tasks for attack in ("mta", "noise")),
        *(("other", task, "mta") for task in tasks),
    }
    assert set(dense.scores["task"]) == set(tasks)


def test_a_finished_run_leaves_its_files_as_they_are(dense: Outcome, quiet: Bars) -> None:
    made = {path: path.stat().st_mtime_ns for path in dense.files.folder.rglob("*") if path.is_file()}
    assert run(dense.experiment, quiet).scores.equals(dense.scores)
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_a_run_without_scores_goes_on(dense: Outcome, quiet: Bars) -> None:
    before = dense.files.scores.stat().st_mtime_ns
    dense.files.scores.unlink()
    assert run(dense.experiment, quiet).scores.equals(dense.scores)
    assert dense.files.scores.stat().st_mtime_ns > before


def test_a_folder_that_holds_another_generator_is_refused(dense: Outcome, quiet: Bars) -> None:
    with pytest.raises(ValueError, match="holds another experiment"):
        run(replace(dense.experiment, seed=5), quiet)


def test_the_page_shows_scores_gallery_and_training(dense: Outcome) -> None:
    (table,) = conclude(dense)
    assert [row.labels for row in table.rows] == [
        ("rooms", "clean"),
        ("rooms", "mta"),
        ("rooms", "noise"),
        ("other", "clean"),
        ("other", "mta"),
    ]
    page = dense.files.report.read_text(encoding="utf-8")
    for said in ("what it does to its victims", "Gallery", "Training", "mta for depth"):
        assert said in page, said


def test_a_shared_victim_is_run_once(tiny_generative, quiet: Bars, tmp_path: Path) -> None:
    members = [tiny_generative(tmp_path, name=name, references={}) for name in ("one", "two")]
    assert [victim.name for victim in victims_of(members)] == ["victims/first", "victims/second"]
    files = sweep(members, quiet)
    scores = [pl.read_parquet(one.scores) for one in files]
    assert scores[0].equals(scores[1])


def test_victims_that_differ_but_share_a_folder_are_refused(tiny_generative, tmp_path: Path) -> None:
    one = tiny_generative(tmp_path, name="one")
    other = {**one.victims, "first": replace(one.victims["first"], seed=4)}
    with pytest.raises(ValueError, match=r"two victims would share .*first \(seed: 0, not 4\)"):
        victims_of([one, replace(one, name="two", victims=other)])


def test_others_have_no_victims(tiny, tmp_path: Path) -> None:
    assert victims_of([tiny(tmp_path)]) == ()


@pytest.mark.slow
def test_two_processes_train_a_generator_for_the_victims_of_one(tiny_generative, quiet: Bars, tmp_path: Path) -> None:
    one = run(tiny_generative(tmp_path), quiet)
    victims = {path: path.stat().st_mtime_ns for path in (tmp_path / "victims").rglob("*") if path.is_file()}
    experiment = tiny_generative(tmp_path, name="together", fabric=Devices(2, accelerator="cpu"))
    two = run(experiment, quiet)
    assert {path: path.stat().st_mtime_ns for path in victims} == victims
    noise = [
        outcome.facts.table.filter(pl.col("attack") == "noise").select("index", "size", "won") for outcome in (one, two)
    ]
    assert noise[0].equals(noise[1])
    assert len(one.facts.table) == len(two.facts.table)
    losses = [pl.read_parquet(outcome.files.history)["value"].to_list() for outcome in (one, two)]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
