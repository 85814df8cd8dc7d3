import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from manyheads.experiments import Bars, Data, Devices, Experiment, Outcome, RayCluster, RunFiles, ray_sweep
from manyheads.experiments.ray_sweep import _visible

Make = Callable[..., Experiment]
TWO = RayCluster(at_once=2)


@pytest.fixture(scope="module")
def ray() -> Any:
    """Ray, if it can be imported."""
    return pytest.importorskip("ray", reason="Ray cannot be imported; pip install 'manyheads[ray]'")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty folder the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_experiments_on_ray_end_as_they_do_here_though_a_worker_is_lost(
    ray: Any, tiny: Make, quiet: Bars, outcome: Outcome, killing: SimpleNamespace
) -> None:
    members = [tiny(Path("runs"), name="first"), tiny(Path("runs"), name="second")]
    first, second = (RunFiles(one.run) for one in members)
    trained_and_attacked = first.facts_of("gray-box", trial="pgd untargeted", eps=0.1)
    assassin = killing.Assassin(first, trained_and_attacked.exists)
    thread = assassin.start()
    files = ray_sweep(members, quiet, cluster=TWO)
    thread.join()
    assert not ray.is_initialized()
    assert files == (first, second)
    for one in files:
        assert pl.read_parquet(one.scores).drop("model").equals(outcome.scores.drop("model"))
    # The worker was killed in the middle of its run, and another one went on without doing anything again.
    assert len(assassin.killed) == 1
    left, made = assassin.left, killing.finished(first)
    assert {"experiment.json", "history.parquet", "weights/last.safetensors"} < left.keys() < made.keys()
    assert {name: made[name] for name in left} == left
    assert not first.progress.exists()
    made = [one.scores.stat().st_mtime_ns for one in files]
    broken = tiny(Path("runs"), name="broken", data=Data("mnist"))
    with pytest.raises(ValueError, match=r"^mnist is read from a folder"):
        ray_sweep([*members, broken], quiet, cluster=TWO)
    assert not ray.is_initialized()
    assert [one.scores.stat().st_mtime_ns for one in files] == made


@pytest.mark.slow
@pytest.mark.usefixtures("here", "ray")
def test_an_experiment_that_loses_too_many_workers_is_named(tiny: Make, quiet: Bars, killing: SimpleNamespace) -> None:
    files = RunFiles(Path("runs/tiny"))
    assassin = killing.Assassin(files, files.history.exists)
    thread = assassin.start()
    with pytest.raises(ChildProcessError, match=r"^tiny lost its worker once more than it may \(.*go on$"):
        ray_sweep([tiny(Path("runs"))], quiet, cluster=RayCluster(at_once=1, retries=0))
    thread.join()
    assert not files.scores.exists()


def test_experiments_of_several_processes_are_refused(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"have one process each, but tiny asks for several; set fabric\.devices to 1"):
        ray_sweep([tiny(tmp_path, fabric=Devices(2))], quiet, cluster=TWO)


def test_experiments_that_share_a_folder_are_refused(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"two experiments would share .*tiny; give each its own name"):
        ray_sweep([tiny(tmp_path), tiny(tmp_path, seed=3)], quiet, cluster=TWO)


@pytest.mark.parametrize("wrong", [{"cpus": 0}, {"gpus": -1.0}, {"retries": -1}])
def test_needs_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="an experiment needs a processor, GPUs and retries from 0 on"):
        RayCluster(**wrong)


@pytest.mark.parametrize("wrong", [{"at_once": 0}, {"at_once": 2, "address": "auto"}])
def test_a_number_at_once_that_nobody_could_keep_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="decides that by its resources; got at_once="):
        RayCluster(**wrong)


def test_without_ray_the_extra_is_named(
    tiny: Make, quiet: Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"this sweep needs Ray .*; pip install 'manyheads\[ray\]'"):
        ray_sweep([tiny(tmp_path)], quiet, cluster=TWO)


def test_a_run_that_was_finished_out_of_sight_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="was finished on another machine and is not here"):
        _visible(RunFiles(tmp_path / "lost"))
