"""`manyheads study`, with recipes that are carried out in no time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manyheads import recipes
from manyheads.attacks import PGD
from manyheads.cli import main
from manyheads.experiments import Architecture, Experiment, RunFiles, runs_in
from manyheads.studies import honest_settings, hyun2024

STEP = PGD(steps=1, step_size=0.1)


def tiny(recipe: Callable[[], Experiment]) -> Callable[[], Experiment]:
    """Make a recipe with one hidden task take one step and attack four images once."""

    def make() -> Experiment:
        made = recipe()
        training = replace(made.training, epochs=1, batch_size=20, selection=STEP, selection_examples=4)
        name = "pgd untargeted"
        return replace(
            made,
            architecture=Architecture("small_conv_net"),
            data=replace(made.data, train_examples=20),
            hidden={"parity": made.hidden["parity"]},
            training=replace(training, hardening=replace(training.hardening, attack=STEP)),
            trials={name: replace(made.trials[name], attack=STEP, examples=4)},
            blind=("noise",),
            sweep=(),
            sanity_examples=2,
        )

    return make


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """Forty random digits in MNIST's layout."""
    folder = tmp_path / "data" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    for stem in ("train", "t10k"):
        for name, array in (("images-idx3", images), ("labels-idx1", (np.arange(40) % 10).astype(np.uint8))):
            head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{stem}-{name}-ubyte").write_bytes(head + array.tobytes())
    return tmp_path / "data"


def test_the_demonstration_prints_tables_and_says_where_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recipes, "digits", tiny(recipes.digits))
    assert main(["study", "demo", "--folder", str(tmp_path), "--seed", "3"]) == 0
    out = capsys.readouterr().out
    folder = tmp_path / "demo-seed3"
    assert f"report: {folder / 'report.html'}, tables: {folder / 'results.md'}\n" in out
    assert (folder / "report.html").is_file()
    assert (folder / "results.md").is_file()
    for text in ("Main task: accuracy", "With rejection: pgd untargeted", "Hidden tasks: accuracy"):
        assert text in out, text
    assert {files.read_as(Experiment).seed for files in runs_in(folder)} == {3}


def test_the_study_runs_on_what_is_there_and_says_what_is_not(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(hyun2024.QUICK, "mnist", tiny(recipes.mnist))
    words = ["study", "hyun2024", "--data-root", str(data_root), "--folder", str(tmp_path / "runs"), "--seed", "2"]
    assert main(words) == 0
    out = capsys.readouterr().out
    folder = tmp_path / "runs" / "hyun2024-quick-seed2" / "mnist"
    assert f"not in {data_root}, and so left out: SVHN, GTSRB, CIFAR-10, Tiny ImageNet\n" in out
    assert "In brackets: the paper's number." in out
    assert "99.30" in (folder / "report.html").read_text(encoding="utf-8")
    assert len(runs_in(folder)) == 4
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    assert main([*words, "--data", "mnist"]) == 0
    out = capsys.readouterr().out
    assert "left out" not in out
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert main(["report", str(folder)]) == 0
    assert "99.30" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_data_set_that_is_not_there_is_a_mistake(
    data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study", "hyun2024", "--data-root", str(data_root), "--folder", str(tmp_path / "runs")]
    assert main([*words, "--data", "gtsrb"]) == 2
    assert "GTSRB" in capsys.readouterr().err
    assert not RunFiles(tmp_path / "runs").folder.exists()


def test_the_honest_study_runs_seeds_and_says_what_stands(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(honest_settings, "quick", lambda _: tiny(recipes.mnist)())
    words = ["study", "honest", "--data", "mnist", "--data-root", str(data_root), "--seeds", "2"]
    assert main([*words, "--folder", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "MNIST: what hidden tasks and rejection add" in out
    assert "1 seed, paired" in out
    assert (tmp_path / "honest-quick" / "results.md").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "svhn"], "svhn is no data set of honest, which has mnist, gtsrb, cifar10"),
        (["--seed", "1"], "honest runs several seeds; write --seeds 1 instead of --seed 1"),
        (["--part", "table1"], "table1 is no part of honest"),
        ([], "say where it lies with --data-root"),
    ],
)
def test_the_honest_study_refuses_what_is_not_its_own(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "honest", *words]) != 0
    assert message in " ".join(capsys.readouterr().err.split())
