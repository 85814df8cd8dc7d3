"""The command line, with models of dense tasks."""

import re
from pathlib import Path

import pytest

from manyheads.cli import main
from manyheads.experiments import DenseExperiment, RunFiles

TINY = """
    --scenes.size 16 24 --scenes.train-examples 4 --scenes.test-examples 2 --training.epochs 1 --batch-size 2
    --trials.pgd-10.attack.steps 1 --trials.pgd-10.examples 2
""".split()  # noqa: SIM905 (as it stands on a command line)


def test_a_dense_recipe_is_run_with_overrides_and_reported_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "drawn", *TINY, "--folder", str(tmp_path), "--tasks", "segmentation", "depth", "--seed", "3"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "Segmentation: mIoU" in shown
    assert "Depth: absolute error (m)" in shown
    assert "s d" in shown
    files = RunFiles(tmp_path / "drawn")
    one = files.read_as(DenseExperiment)
    assert (one.tasks, one.seed, one.scenes.size) == (("segmentation", "depth"), 3, (16, 24))
    assert one.trials["pgd-10"].attack.steps == 1
    assert "drawn: what attackers can do to it" in files.report.read_text()
    assert main(["report", str(tmp_path)]) == 0
    assert "report: " in capsys.readouterr().out
    assert "robustness of 1 model on drawn" in (tmp_path / "report.html").read_text()


def test_dense_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    listed = capsys.readouterr().out
    for name in ("drawn", "nyuv2", "nyuv2_paper", "cityscapes", "cityscapes_paper", "taskonomy_paper"):
        assert name in listed


def test_every_field_is_named_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "drawn", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--scenes.size", "--tasks", "--weights", "--architecture.encoder", "--trials.pgd-10.attacked"):
        assert option in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tasks", "segmentation", "dept"], "did you mean 'depth'"),
        (["--weights", "depth", "1"], "give each task one, or none at all"),
        (["--architecture.encoder", "drn_d_22", "--scenes.size", "20", "20"], "multiples of 8"),
        (["--data-root", "somewhere"], "leave --data-root out"),
        (["--trials.pgd-10.goal", "houdini"], "attack `main`"),
        (["--training.hardening", "Hardening"], "did you mean 'DenseHardening'?"),
    ],
)
def test_a_mistake_is_explained_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["run", "drawn", "--folder", str(tmp_path), *words]) == 2
    captured = capsys.readouterr()
    assert said in re.sub(r"\s+", " ", captured.err + captured.out)
    assert list(tmp_path.iterdir()) == []


def test_a_dense_run_predicts_no_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "drawn", *TINY, "--folder", str(tmp_path)]) == 0
    assert main(["predict", str(tmp_path / "drawn"), "image.png"]) == 2
    assert "holds a model of dense tasks; this needs the run of a classifier" in capsys.readouterr().err
