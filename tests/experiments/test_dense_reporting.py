from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from manyheads.experiments import (
    DenseExperiment,
    DenseHardening,
    Outcome,
    RunFiles,
    by_scenes,
    dense_results,
    dense_runs_in,
    report_dense,
    to_json,
)
from manyheads.experiments.dense_reporting import dense_title

Make = Callable[..., DenseExperiment]


@pytest.fixture
def beside(dense_outcome: Outcome, tmp_path: Path) -> Callable[[DenseExperiment], RunFiles]:
    """Make a copy of the finished run that says it is of another experiment."""

    def make(experiment: DenseExperiment) -> RunFiles:
        files = RunFiles(tmp_path / experiment.name)
        copytree(dense_outcome.files.folder, files.folder)
        files.experiment.write_text(to_json(experiment))
        return files

    return make


def test_a_page_is_written_with_scores_vulnerability_gallery_and_training(
    dense_outcome: Outcome, tmp_path: Path
) -> None:
    report_dense([dense_outcome.files], tmp_path / "page.html", heading="What became of it")
    page = (tmp_path / "page.html").read_text()
    for part in ("What became of it", "Scores under attack", "Vulnerability", "Gallery", "Training", "s d A", "floor"):
        assert part in page


def test_seeds_of_one_model_are_averaged(dense_outcome: Outcome, tiny_dense: Make, beside) -> None:
    other = beside(tiny_dense(Path("runs"), name="other", seed=1))
    results = dense_results([dense_outcome.files, other])
    assert results.models == ("s d A",)
    assert results.clean("s d A", task="depth", score="absolute_error").seeds == 2


def test_a_hardened_model_is_told_apart(dense_outcome: Outcome, tiny_dense: Make, beside, tmp_path: Path) -> None:
    one = tiny_dense(Path("runs"), name="hardened")
    files = beside(replace(one, training=replace(one.training, hardening=DenseHardening())))
    runs = [dense_outcome.files, files]
    assert dense_results(runs).models == ("s d A", "s d A hardened")
    report_dense(runs, tmp_path / "both.html", heading="Both")
    assert "s d A hardened" in (tmp_path / "both.html").read_text()


def test_models_that_no_table_could_tell_apart_are_refused(dense_outcome: Outcome, tiny_dense: Make, beside) -> None:
    twin = beside(tiny_dense(Path("runs"), name="twin"))
    with pytest.raises(ValueError, match=r"both hold a model 's d A' from seed 0, .* report each by itself"):
        dense_results([dense_outcome.files, twin])


def test_nothing_is_no_report() -> None:
    with pytest.raises(ValueError, match="a report needs at least one finished run, got none"):
        dense_results([])


def test_a_run_without_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"these runs have no scores yet: .*; run them first"):
        dense_results([RunFiles(tmp_path)])


def test_dense_runs_are_found_beside_others_and_sorted_by_scenes(
    outcome: Outcome, tiny_dense: Make, beside, tmp_path: Path
) -> None:
    one = tiny_dense(Path("runs"), name="a/plain")
    files = beside(one)
    few = beside(replace(one, name="z", tasks=("segmentation", "depth"), scenes=replace(one.scenes, name="nyuv2")))
    copytree(outcome.files.folder, tmp_path / "classifier")
    assert dense_runs_in(tmp_path) == (few, files)
    few.scores.unlink()
    assert by_scenes(dense_runs_in(tmp_path)) == {"drawn": (files,)}


def test_a_model_is_called_by_letters_and_training(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    assert dense_title(one) == "s d A"
    assert dense_title(replace(one, training=replace(one.training, hardening=DenseHardening()))) == "s d A hardened"
