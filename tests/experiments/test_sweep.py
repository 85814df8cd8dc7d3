from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from manyheads.experiments import Bars, Data, Experiment, Outcome, RunFiles, sweep

Make = Callable[..., Experiment]


def test_experiments_are_run_in_their_order(tiny: Make, quiet: Bars, outcome: Outcome, tmp_path: Path) -> None:
    members = [tiny(tmp_path, name="study/alone", hidden={}), tiny(tmp_path, name="study/all")]
    files = sweep(members, quiet)
    assert files == (RunFiles(tmp_path / "study" / "alone"), RunFiles(tmp_path / "study" / "all"))
    assert [one.read_experiment() for one in files] == members
    assert pl.read_parquet(files[1].scores).drop("model").equals(outcome.scores.drop("model"))


def test_several_at_once_end_with_the_same_results(tiny: Make, quiet: Bars, outcome: Outcome, tmp_path: Path) -> None:
    files = sweep([tiny(tmp_path, name="first"), tiny(tmp_path, name="second")], quiet, jobs=2)
    assert [one.folder.name for one in files] == ["first", "second"]
    for one in files:
        assert pl.read_parquet(one.scores).drop("model").equals(outcome.scores.drop("model"))


def test_the_first_that_fails_stops_the_rest(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    broken = tiny(tmp_path, name="broken", data=Data("mnist"))
    with pytest.raises(ValueError, match="mnist is read from a folder"):
        sweep([broken, tiny(tmp_path)], quiet)
    assert list(tmp_path.iterdir()) == []


def test_experiments_that_share_a_folder_are_refused(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"two experiments would share .*tiny; give each its own name"):
        sweep([tiny(tmp_path), tiny(tmp_path, seed=3)], quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_jobs_are_refused(tiny: Make, quiet: Bars, tmp_path: Path, jobs: int) -> None:
    with pytest.raises(ValueError, match=f"at least one job has to run, got jobs={jobs}"):
        sweep([tiny(tmp_path)], quiet, jobs=jobs)


def test_an_error_in_another_process_arrives(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mnist is read from a folder"):
        sweep([tiny(tmp_path, data=Data("mnist"))], quiet, jobs=2)
