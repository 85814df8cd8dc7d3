"""Several processes carry out one experiment: with the facts of one process, and on from where others were lost."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from manyheads.experiments import Bars, Data, Devices, Experiment, Outcome, RunFiles, run

pytestmark = pytest.mark.slow

Make = Callable[..., Experiment]
TWO = Devices(2, accelerator="cpu")


@dataclass(frozen=True)
class Told:
    """A run by two processes of which the first was killed, and begun again."""

    together: Outcome
    killed: list[int]
    error: str
    weights_at_death: int


def longer(tiny: Make, folder: Path, **changes: object) -> Experiment:
    """Train six epochs on batches that two processes cannot share evenly at the end, and try a transfer too."""
    experiment = tiny(folder, blind=("transfer",), sanity_examples=3, data=Data("digits", train_examples=47))
    return replace(experiment, training=replace(experiment.training, epochs=6), **changes)


@pytest.fixture(scope="module")
def told(tiny: Make, quiet: Bars, killing: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What two processes left behind, which a test must leave as it is."""
    experiment = longer(tiny, tmp_path_factory.mktemp("together"), fabric=TWO)
    files = RunFiles(experiment.run)
    assassin = killing.Assassin(files, (files.weights / "resume.pt").exists)
    thread = assassin.start()
    with pytest.raises(ChildProcessError) as caught:
        run(experiment, quiet)
    thread.join()
    made = torch.load(files.weights / "resume.pt", weights_only=True)["epoch"]
    return Told(run(experiment, quiet), assassin.killed, str(caught.value), made)


@pytest.fixture(scope="module")
def alone(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The same run by one process, which a test must leave as it is."""
    return run(longer(tiny, tmp_path_factory.mktemp("alone")), quiet)


def exact(facts: pl.DataFrame) -> pl.DataFrame:
    return facts.select(pl.exclude(pl.Float64))


def test_a_lost_process_ends_the_others_and_says_how_to_go_on(told: Told) -> None:
    assert "one of 2 processes was lost (process 0 terminated with signal SIGKILL)" in told.error
    assert "call the same command again to go on" in told.error
    assert len(told.killed) == 1
    assert 1 <= told.weights_at_death < 6


def test_two_processes_train_like_one_though_one_was_lost(told: Told, alone: Outcome) -> None:
    one, two = (load_file(outcome.files.weights / "last.safetensors") for outcome in (alone, told.together))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.allclose(two[name], value, atol=2e-5), name
    histories = [pl.read_parquet(outcome.files.history) for outcome in (alone, told.together)]
    assert exact(histories[0]).equals(exact(histories[1]))
    assert histories[1]["value"].to_list() == pytest.approx(histories[0]["value"].to_list(), rel=1e-4)


def test_two_processes_leave_the_files_of_one(told: Told, alone: Outcome) -> None:
    names = [
        sorted(str(path.relative_to(outcome.files.folder)) for path in outcome.files.folder.rglob("*"))
        for outcome in (alone, told.together)
    ]
    assert names[0] == names[1]


def test_of_the_same_weights_one_process_has_the_facts_of_two(told: Told, quiet: Bars, tmp_path: Path) -> None:
    two = told.together
    for kept in ("weights", "experiment.json"):
        place = tmp_path / "tiny" / kept
        place.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (two.files.folder / kept).is_dir() else shutil.copy
        copy(two.files.folder / kept, place)
    one = run(replace(two.experiment, folder=tmp_path, fabric=Devices()), quiet)
    assert exact(one.facts.table).equals(exact(two.facts.table))
    assert exact(one.scores).equals(exact(two.scores))
    numbers = pl.col(pl.Float64).fill_null(-1.0).fill_nan(-1.0)
    first, second = (outcome.facts.table.select(numbers).to_torch() for outcome in (one, two))
    assert torch.allclose(first, second, atol=1e-6)
    for path in sorted(one.files.gallery.iterdir()):
        mine, theirs = load_file(path), load_file(two.files.gallery / path.name)
        assert mine.keys() == theirs.keys()
        assert torch.equal(mine["index"], theirs["index"])
        assert all(torch.allclose(value, theirs[name], atol=1e-6) for name, value in mine.items())


def test_a_finished_run_starts_no_process(told: Told, quiet: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Devices, "together", None)
    assert run(told.together.experiment, quiet).scores.equals(told.together.scores)


def test_what_the_processes_refuse_is_refused_here(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    before = dict(os.environ)
    with pytest.raises(ValueError, match=r"^mnist is read from a folder; say which with --data-root DIR$"):
        run(tiny(tmp_path, data=Data("mnist"), fabric=TWO), quiet)
    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []
