from collections.abc import Callable
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from manyheads.experiments import Bars, Data, Devices, Experiment, Outcome, RunFiles, bars, sweep

Make = Callable[..., Experiment]


def test_experiments_are_run_in_their_order(tiny: Make, quiet: Bars, outcome: Outcome, tmp_path: Path) -> None:
    members = [tiny(tmp_path, name="study/alone", hidden={}), tiny(tmp_path, name="study/all")]
    files = sweep(members, quiet)
    assert files == (RunFiles(tmp_path / "study" / "alone"), RunFiles(tmp_path / "study" / "all"))
    assert [one.read_as(Experiment) for one in files] == members
    assert pl.read_parquet(files[1].scores).drop("model").equals(outcome.scores.drop("model"))


def test_several_at_once_end_with_the_same_results_and_say_what_they_do(
    tiny: Make, outcome: Outcome, tmp_path: Path
) -> None:
    written = StringIO()
    with bars(Console(file=written, width=80)) as shown:
        files = sweep([tiny(tmp_path, name="first"), tiny(tmp_path, name="second")], shown, jobs=2)
    for told in (
        "✓ train first",
        "✓ train second",
        "✓ gray-box cw on second",
        "finished first",
        "✓ 2 experiments, 2 at",
    ):
        assert told in written.getvalue(), told
    assert not any(one.progress.exists() for one in files)
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


def test_experiments_of_several_processes_are_refused_where_several_run_at_once(
    tiny: Make, quiet: Bars, tmp_path: Path
) -> None:
    members = [tiny(tmp_path, name="one"), tiny(tmp_path, name="pair", fabric=Devices(2))]
    with pytest.raises(ValueError, match=r"have one process each, but pair asks for several; set fabric\.devices to 1"):
        sweep(members, quiet, jobs=2)


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_jobs_are_refused(tiny: Make, quiet: Bars, tmp_path: Path, jobs: int) -> None:
    with pytest.raises(ValueError, match=f"at least one job has to run, got jobs={jobs}"):
        sweep([tiny(tmp_path)], quiet, jobs=jobs)


def test_an_error_in_another_process_arrives(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mnist is read from a folder"):
        sweep([tiny(tmp_path, data=Data("mnist"))], quiet, jobs=2)
