from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from manyheads.experiments import Experiment, RunFiles
from manyheads.experiments.files import keep

Make = Callable[..., Experiment]


def test_everything_lies_in_the_run_s_folder() -> None:
    files = RunFiles(Path("runs/a"))
    assert [path.as_posix() for path in (files.experiment, files.weights, files.history, files.guard)] == [
        "runs/a/experiment.json",
        "runs/a/weights",
        "runs/a/history.parquet",
        "runs/a/guard.json",
    ]
    assert [path.as_posix() for path in (files.facts, files.gallery, files.scores, files.report)] == [
        "runs/a/facts",
        "runs/a/gallery",
        "runs/a/scores.parquet",
        "runs/a/report.html",
    ]


def test_files_of_a_trial_are_named_after_attacker_trial_and_eps() -> None:
    files = RunFiles(Path("a"))
    facts = files.facts_of("gray-box", trial="pgd untargeted", eps=8 / 255)
    gallery = files.gallery_of("adaptive", trial="cw", eps=float("inf"))
    assert facts == Path("a/facts/gray-box--pgd-untargeted--0.03137.parquet")
    assert gallery == Path("a/gallery/adaptive--cw--inf.safetensors")


def test_a_claimed_folder_holds_its_experiment(tiny: Make, tmp_path: Path) -> None:
    one, files = tiny(tmp_path), RunFiles(tmp_path / "tiny")
    files.claim(one)
    files.claim(one)
    assert files.read_as(Experiment) == one
    assert [path.name for path in files.folder.iterdir()] == ["experiment.json"]


def test_a_folder_is_not_given_to_another_experiment(tiny: Make, tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "tiny")
    files.refuse_other(tiny(tmp_path, seed=4))
    files.claim(tiny(tmp_path))
    with pytest.raises(ValueError, match=r"tiny holds another experiment \(seed: 0, not 4\); give this one another"):
        files.claim(tiny(tmp_path, seed=4))
    with pytest.raises(ValueError, match="or delete that folder"):
        files.refuse_other(tiny(tmp_path, hidden={}))
    assert files.read_as(Experiment) == tiny(tmp_path)


def test_a_folder_without_an_experiment_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"is not a run: it has no experiment\.json"):
        RunFiles(tmp_path).read_as(Experiment)


def test_a_damaged_experiment_is_named(tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_text("{")
    with pytest.raises(ValueError, match=r"experiment\.json is not JSON"):
        RunFiles(tmp_path).read_as(Experiment)


def test_a_run_that_was_not_trained_has_no_guard(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no trained guard yet; run the experiment first"):
        RunFiles(tmp_path).read_guard()


def test_a_damaged_guard_is_named(tmp_path: Path) -> None:
    (tmp_path / "guard.json").write_text("[]")
    with pytest.raises(ValueError, match=r"guard\.json does not describe a guard"):
        RunFiles(tmp_path).read_guard()


def test_what_is_kept_is_written_whole_and_only_if_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "text"
    keep(path, b"one")
    before = path.stat().st_ino
    keep(path, b"one")
    assert (path.read_bytes(), path.stat().st_ino) == (b"one", before)
    keep(path, b"two")
    assert (path.read_bytes(), path.stat().st_ino != before) == (b"two", True)
    assert [file.name for file in path.parent.iterdir()] == ["text"]


def test_tables_are_kept_as_parquet(tmp_path: Path) -> None:
    table = pl.DataFrame({"epoch": [0, 1], "value": [0.5, None]})
    keep(tmp_path / "table.parquet", table)
    assert pl.read_parquet(tmp_path / "table.parquet").equals(table)
