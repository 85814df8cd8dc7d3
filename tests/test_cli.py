"""The command line, from words to files and messages."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from manyheads.cli import COMMANDS, main
from manyheads.experiments import Experiment, RunFiles
from manyheads.recipes import RECIPES

MY_FILE = """
from manyheads.attacks import PGD
from manyheads.experiments import Data, Experiment, Hardening, Training, Trial
from manyheads.threats import Linf

def my_recipe():
    step = PGD(steps=1, step_size=0.1)
    return Experiment(
        name="mine",
        data=Data("digits", train_examples=40),
        main="digit",
        hidden={"parity": "digits/parity"},
        training=Training(epochs=1, batch_size=20, hardening=Hardening(step), selection=step, selection_examples=10),
        trials={"pgd untargeted": Trial(step, Linf(0.1), examples=8)},
    )

def stopped():
    raise KeyboardInterrupt
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recipe in a file of one's own."""
    path = tmp_path_factory.mktemp("own") / "my_file.py"
    path.write_text(MY_FILE)
    return f"{path}:my_recipe"


@pytest.fixture(scope="module")
def run(recipe: str, tmp_path_factory: pytest.TempPathFactory) -> RunFiles:
    """A finished run of it, which a test must leave as it is."""
    folder = tmp_path_factory.mktemp("runs")
    assert main(["run", recipe, "--folder", str(folder), "--seed", "5"]) == 0
    return RunFiles(folder / "mine")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Run a command; return its exit status, what it printed, and its complaints."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(word) for word in words])
        heard = capsys.readouterr()
        return status, heard.out, heard.err

    return call


def write_classes(root: Path) -> Path:
    for number in range(40):
        (root / "abcd"[number % 4]).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (10, 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "abcd"[number % 4] / f"{number}.png")
    return root


def test_a_run_of_one_s_own_recipe_leaves_a_report(run: RunFiles) -> None:
    experiment = run.read_as(Experiment)
    assert (experiment.name, experiment.seed, experiment.training.epochs) == ("mine", 5, 1)
    assert pl.read_parquet(run.scores).height > 0
    assert "mine: what attackers can do to it" in run.report.read_text(encoding="utf-8")


def test_a_finished_run_is_shown_again_without_being_run(run: RunFiles, recipe: str, said) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*") if path.suffix != ".html"}
    status, out, err = said("run", recipe, "--folder", run.folder.parent, "--seed", "5")
    assert (status, err) == (0, "")
    assert "Main task: accuracy" in out
    assert "With rejection: pgd untargeted (L∞ 0.1)" in out
    assert f"report: {run.report}\n" in out
    assert "train mine" not in out
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_experiment_is_not_run_into_the_folder(run: RunFiles, recipe: str, said) -> None:
    status, _, err = said("run", recipe, "--folder", run.folder.parent, "--seed", "6")
    assert status == 2
    assert err.startswith(f"error: {run.folder} holds another experiment (seed: 5, not 6)")


def test_all_recipes_are_listed_with_what_they_are(said) -> None:
    status, out, _ = said("recipes")
    assert status == 0
    listed = [line.split()[0] for line in out.splitlines() if line.split() and line[0] != " "]
    assert listed == ["recipe", *RECIPES]
    assert "scikit-learn's 1797 digits" in out


def test_help_names_every_command(said) -> None:
    status, out, _ = said("--help")
    assert status == 0
    assert list(COMMANDS) == ["run", "recipes", "study", "attack", "fact-sheet", "report", "predict"]
    assert all(f"{command} " in out for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "digist"], "did you mean 'digits'?"),
        (["run", "digits", "--training.epcohs", "3"], "--training.epochs"),
        (["run", "digits", "--training.epochs", "three"], "three"),
        (["run", "digits", "--training.optimizer", "Adma"], "did you mean 'Adam'?"),
        (["run", "digits", "--training.epochs", "0"], "training.epochs=0"),
        (["run", "digits", "--hidden", "parity", "digits/party"], "did you mean 'digits/parity'?"),
        (["run", "mnist"], "say which with --data-root DIR"),
        (["run", "absent.py:mine"], "absent.py is not a Python file"),
        (["run"], "Required options"),
        (["rnu", "digits"], "run"),
        (["study", "demo", "--profile", "paper"], "leave --data, --data-root and --profile out"),
        (["study", "hyun2024"], "say where it lies with --data-root DIR"),
        (["study", "hyun2024", "--data-root", "nowhere"], "nowhere is no folder"),
        (["study", "hyun"], "hyun2024"),
        (["report", "nowhere"], "nowhere holds no run"),
        (["predict", "nowhere", "a.png"], "nowhere is not a run"),
    ],
    ids=str,
)
def test_a_mistake_ends_with_a_hint_and_status_2(
    said, words: list[str], hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = said(*words)
    assert status == 2
    assert hint in err
    assert "Traceback" not in out + err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_data_folder_is_one_clear_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "manyheads.cli", "run", "mnist", "--data-root", str(tmp_path / "nowhere")]
    command += ["--folder", str(tmp_path / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'nowhere'}: expected train-images-idx3-ubyte[.gz]")
    assert list(tmp_path.iterdir()) == []


def test_who_stops_a_run_is_told_how_to_go_on(recipe: str, said) -> None:
    status, _, err = said("run", recipe.replace("my_recipe", "stopped"))
    assert (status, err) == (130, "stopped; call the same command again to go on\n")


def test_predict_prints_the_label_or_rejected(run: RunFiles, said, tmp_path: Path) -> None:
    image = tmp_path / "digit [1].png"
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(image)
    copy = RunFiles(tmp_path / "copy")
    copy.folder.mkdir()
    copy.weights.symlink_to(run.weights)
    copy.experiment.symlink_to(run.experiment)
    text = run.guard.read_text()
    answers = []
    for threshold in ("0.0", "9.0"):
        copy.guard.write_text(text.replace('"threshold": 1.0', f'"threshold": {threshold}'))
        status, out, _ = said("predict", copy.folder, image, image)
        first, second = out.splitlines()
        assert (status, first) == (0, second)
        answers.append(first.removeprefix(f"{image}: "))
    rejected, label = answers
    digit = label.split()[0]
    assert rejected.startswith(f"rejected (digit {digit}, parity ")
    assert label.startswith(f"{digit} (digit {digit}, parity ")
    assert digit in "0123456789"


def test_predict_without_images_is_a_mistake(run: RunFiles, said) -> None:
    status, _, err = said("predict", run.folder)
    assert (status, err) == (2, "error: name at least one image file\n")


def test_a_report_is_written_anew(run: RunFiles, said) -> None:
    run.report.unlink()
    status, out, _ = said("report", run.folder)
    assert (status, out) == (0, f"report: {run.report}\n")
    assert "mine: robustness of 1 model on digits" in run.report.read_text(encoding="utf-8")


def test_reports_are_written_per_data_set_and_unfinished_runs_counted(run: RunFiles, said, tmp_path: Path) -> None:
    for name, data in (("first", "digits"), ("second", "mnist"), ("third", "digits")):
        (tmp_path / name).mkdir()
        text = run.experiment.read_text().replace('"name": "digits"', f'"name": "{data}"')
        (tmp_path / name / "experiment.json").write_text(text)
    for part in ("scores.parquet", "history.parquet", "guard.json", "gallery"):
        (tmp_path / "first" / part).symlink_to(run.folder / part)
        (tmp_path / "second" / part).symlink_to(run.folder / part)
    status, out, _ = said("report", tmp_path)
    assert status == 0
    assert sorted(out.splitlines()) == [
        "not finished yet, and so left out: 1 of 3 runs",
        f"report: {tmp_path / 'report-digits.html'}",
        f"report: {tmp_path / 'report-mnist.html'}",
    ]
    for data in ("digits", "mnist"):
        assert f"1 model on {data}" in (tmp_path / f"report-{data}.html").read_text(encoding="utf-8")


def test_a_report_of_unfinished_runs_is_a_mistake(run: RunFiles, said, tmp_path: Path) -> None:
    (tmp_path / "experiment.json").symlink_to(run.experiment)
    status, _, err = said("report", tmp_path)
    assert (status, err) == (2, f"error: no run in {tmp_path} is finished yet; run it first\n")


def test_a_folder_of_images_with_a_hidden_task_of_one_s_own(said, tmp_path: Path) -> None:
    (tmp_path / "kind.toml").write_text('[groups]\nround = ["a", "c", "d"]\npointed = ["b"]\n')
    words = ["run", "image_folder", "--data-root", write_classes(tmp_path / "images"), "--folder", tmp_path / "runs"]
    words += ["--hidden", "kind", tmp_path / "kind.toml", "--training.epochs", "1", "--training.batch-size", "16"]
    words += ["--training.selection.steps", "1", "--training.hardening", "None", "--sweep", "--data.size", "16"]
    words += ["--blind", "--sanity-examples", "0"]
    words += ["--data.validation-share", "0.25", "--trials.cw.attack", "FGSM", "--trials.cw.budget.eps", "0.1"]
    for trial in ("pgd-targeted", "pgd-untargeted"):
        words += [f"--trials.{trial}.attack.steps", "1"]
    status, _, err = said(*words)
    assert (status, err) == (0, "")
    files = RunFiles(tmp_path / "runs" / "image-folder")
    assert files.read_guard().class_names == {"label": ("a", "b", "c", "d"), "kind": ("round", "pointed")}
    status, out, _ = said("predict", files.folder, tmp_path / "images" / "a" / "0.png")
    assert status == 0
    assert ", kind " in out
