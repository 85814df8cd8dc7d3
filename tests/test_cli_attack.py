"""`manyheads attack` and `fact-sheet`: a model of one's own, from its file to a page and a sheet."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from manyheads.cli import main
from manyheads.evaluation import Facts

OWN = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=10, form=lambda scores: scores):
        super().__init__()
        self.layer = nn.Linear(64, classes)
        self.form = form
        with torch.no_grad():
            self.layer.weight.mul_(20)

    def forward(self, image):
        features = image.mean(1).flatten(1)
        scores = self.layer(features)
        return self.form(scores)

class Two(Net):
    def forward(self, image):
        scores = super().forward(image)
        return {"even": scores[:, :2], "class": scores}

net = Net()
settings = {}

def few():
    return Net(classes=7)

def three():
    return Net(classes=2)

def likely():
    return Net(form=lambda scores: scores.softmax(1))

def frozen():
    return Net(form=lambda scores: scores.detach())

def sliced():
    return Net(form=lambda scores: (scores, scores))

def absent():
    raise FileNotFoundError("weights.pt")
"""
FAST = ["--examples", "12", "--eps", "0.1", "--steps", "2", "--batch-size", "6", "--sanity-examples", "4"]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder with the file in it."""
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Run a command; return its exit status, what it printed, and its complaints."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(words)
        heard = capsys.readouterr()
        return status, heard.out, heard.err

    return call


def write_classes(root: Path) -> Path:
    for number in range(8):
        (root / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "ab"[number % 2] / f"{number}.png")
    return root


def test_a_model_of_ones_own_is_attacked_and_reported(said) -> None:
    status, out, err = said("attack", "own.py:net", "--data", "digits", "--attacks", "noise", "fgsm", "pgd", *FAST)
    assert (status, err) == (0, "")
    folder = Path("runs/own-net")
    for line in (
        "Accuracy under attack",
        "worst of all",
        "n = 12 in every cell",
        "⚠ The standard ensemble was not run",
    ):
        assert line in out
    assert f"report: {folder / 'report.html'}, facts: {folder / 'facts'}, scores: {folder / 'scores.parquet'}" in out
    facts = [Facts.load(path) for path in folder.glob("facts/*.parquet")]
    assert sorted(one.table["attack"][0] for one in facts) == ["fgsm", "noise", "pgd"]
    assert {(len(one.table), one.table["model"][0], one.table["eps"][0]) for one in facts} == {(12, "own.py:net", 0.1)}
    assert pl.read_parquet(folder / "scores.parquet")["score"].is_in(["accuracy"]).any()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "own.py:net: what attackers can do to it" in page
    assert "The standard ensemble was not run" in page
    assert json.loads((folder / "assessment.json").read_text())["trials"][0].startswith("noise: noise: Noise()")


def test_what_was_measured_is_not_measured_again_but_something_else_is_refused(said) -> None:
    words = ["attack", "own.py:net", "--data", "digits", "--attacks", "fgsm", *FAST]
    assert said(*words)[0] == 0
    (path,) = Path("runs/own-net/facts").iterdir()
    before = path.stat().st_mtime_ns
    status, out, err = said(*words)
    assert (status, err, path.stat().st_mtime_ns) == (0, "", before)
    assert "✓ white-box fgsm" not in out
    assert "✓ sanity checks" not in out
    status, _, err = said(*words, "--seed", "3")
    assert status == 2
    assert "runs/own-net holds another measurement (it differs in " in err
    Path("own.py").write_text(OWN.replace("mul_(20)", "mul_(19)"))
    status, _, err = said(*words)
    assert (status, "it differs in code, weights)" in err) == (2, True)


def test_a_fast_search_finds_what_the_plain_one_does_and_is_another_measurement(said) -> None:
    words = ["attack", "own.py:net", "--data", "digits", "--attacks", "pgd", *FAST]
    plain, fast = [*words, "--name", "plain"], [*words, "--search", "fast", "--name", "fast"]
    assert [said(*each)[0] for each in (plain, fast, fast)] == [0, 0, 0]
    found = [Facts.load(path).table["label.attacked"] for path in sorted(Path("runs").glob("*/facts/*.parquet"))]
    assert len(found) == 2
    assert found[0].equals(found[1])
    assert "Fast(attack=PGD(" in Path("runs/fast/assessment.json").read_text(encoding="utf-8")
    assert "differs in trials" in said(*words, "--name", "fast")[2]


def test_several_outputs_answer_several_tasks(said) -> None:
    words = ["--main", "digit", "--hidden", "parity", "digits/parity", "--entries", "digit", "class", "parity", "even"]
    status, out, err = said("attack", "own.py:Two", "--data", "digits", "--attacks", "fgsm", *words, *FAST)
    assert (status, err) == (0, "")
    assert all(name in out for name in ("digit", "parity", "white-box", "gray-box"))


def test_a_folder_of_images_and_normalised_pixels(said, tmp_path: Path) -> None:
    write_classes(tmp_path / "mine")
    words = ["--data", "mine", "--size", "8", "--mean", "0.5", "0.5", "0.5", "--std", "0.25", "0.25", "0.25"]
    status, out, err = said("attack", "own.py:three", *words, "--attacks", "square", "--queries", "3", *FAST)
    assert (status, err) == (0, "")
    assert "n = 8 in every cell" in out


def test_probabilities_are_warned_of(said) -> None:
    status, out, _ = said("attack", "own.py:likely", "--data", "digits", "--attacks", "noise", *FAST)
    assert status == 0
    assert "⚠ The answers look like probabilities (seen on 6 images)" in out


def test_a_model_without_a_gradient_can_be_asked_alone(said) -> None:
    words = ["--data", "digits", "--queries", "3", *FAST]
    assert said("attack", "own.py:frozen", "--attacks", "noise", "square", *words)[0] == 0
    status, _, err = said("attack", "own.py:frozen", "--attacks", "pgd", "--name", "other", *words)
    assert (status, "carry no gradient" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["own.py"], "'own.py' names no model; your own model is given as FILE.py:NAME"),
        (["nowhere.py:net"], "there is no file nowhere.py"),
        (["own.py:nte"], "own.py has no 'nte'; did you mean 'Net'?"),
        (["own.py:settings"], "own.py:settings is of type dict; it has to be an nn.Module"),
        (["own.py:few"], "10 classes): task 'label' needs scores of shape (32, 10), the model returns (32, 7)"),
        (["own.py:sliced"], "the model returns 2 outputs, but has to answer 1 task (label); say with entries"),
        (["own.py:net", "--mean", "0.5"], "give mean and std together"),
        (["own.py:net", "--mean", "0", "0", "--std", "1", "1"], "this model normalises 2 channels, the image has 1"),
        (["own.py:net", "--eps", "8"], "eps is above zero and in [0, 1] pixel units, got 8; write 8/255, not 8"),
        (["own.py:net", "--steps", "0"], "steps has to be 1 or more, got 0"),
        (["own.py:net", "--examples", "0"], "examples has to be 1 or more, got 0"),
        (["own.py:net", "--attacks"], "name at least one attack"),
        (["own.py:net", "--attacks", "pdg"], "pdg"),
        (["own.py:net", "--hidden", "parity", "digits/party"], "did you mean 'digits/parity'?"),
        (["own.py:net", "--entries", "digit", "0"], "tasks: label; entries: digit"),
        (["own.py:net", "--size", "9"], "the images of digits have a size of their own"),
        (["own.py:net", "--data", "digist"], "did you mean 'digits'?"),
        (["own.py:net", "--data", "mnist"], "say which with --data-root DIR"),
        (["own.py:absent"], 'in absent `raise FileNotFoundError("weights.pt")`: FileNotFoundError: weights.pt'),
    ],
    ids=str,
)
def test_a_mistake_ends_in_one_line_with_a_hint_and_writes_nothing(said, words: list[str], hint: str) -> None:
    status, out, err = said("attack", words[0], "--data", "digits", *words[1:])
    assert status == 2
    assert hint in err
    assert "Traceback" not in out + err
    assert not Path("runs").exists()


def test_images_of_a_wrong_size_are_blamed_on_the_line_that_fails(said, tmp_path: Path) -> None:
    write_classes(tmp_path / "mine")
    status, _, err = said("attack", "own.py:three", "--data", "mine", "--size", "9")
    assert status == 2
    line = OWN.splitlines().index("        scores = self.layer(features)") + 1
    assert f"(3 × 9 × 9 pixels in [0, 1], 2 classes): own.py, line {line}, in forward" in err
    assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied" in err
    assert len(err.splitlines()) == 1


def test_a_fact_sheet_tells_of_no_ensemble_that_was_not_run(said) -> None:
    assert said("attack", "own.py:net", "--data", "digits", "--attacks", "fgsm", *FAST)[0] == 0
    words = ["--name", "Mine", "--dataset", "digits", "--architecture", "linear", "--reported", "0.5"]
    status, out, err = said("fact-sheet", "runs/own-net", *words)
    assert (status, err) == (0, "")
    assert "no autoattack_acc: the standard ensemble was not run" in out
    sheet = json.loads(Path("runs/own-net/fact_sheet.json").read_text(encoding="utf-8"))
    assert "autoattack_acc" not in sheet
    assert (sheet["name"], sheet["reported"], sheet["eps"]) == ("Mine", "50.00", "0.1")


def test_the_standard_ensemble_fills_the_sheet(said) -> None:
    words = ["--data", "digits", "--attacks", "standard", "--examples", "4", "--eps", "0.9"]
    assert said("attack", "own.py:net", *words)[0] == 0
    words = ["--name", "Mine", "--dataset", "digits", "--architecture", "linear", "--path", "sheet.json"]
    status, out, _ = said("fact-sheet", "runs/own-net", *words)
    assert (status, out) == (0, "fact sheet: sheet.json\n")
    assert json.loads(Path("sheet.json").read_text(encoding="utf-8"))["autoattack_acc"] == "0.00"


def test_a_fact_sheet_of_nothing_is_a_mistake(said) -> None:
    status, _, err = said("fact-sheet", "runs", "--name", "Mine", "--dataset", "digits", "--architecture", "linear")
    assert (status, "runs holds no assessment.json; `manyheads attack` makes one" in err) == (2, True)
