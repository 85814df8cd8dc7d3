"""What a finished run says of image files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import sklearn_digits
from manyheads.experiments import Experiment, Outcome, load_guard, predict
from manyheads.experiments.guard_record import GuardRecord

Make = Callable[..., Experiment]
COUNT = 12


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return sklearn_digits("test").fetch(torch.arange(COUNT))["image"]


@pytest.fixture(scope="module")
def files(digits: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{number}.png" for number in range(COUNT)]
    for path, image in zip(paths, digits, strict=True):
        Image.fromarray(image[0].numpy()).save(path)
    return paths


def copy_of(run: Path, folder: Path, *, record: GuardRecord) -> Path:
    """The same run with another guard record."""
    for part in ("experiment.json", "weights"):
        (folder / part).symlink_to(run / part)
    (folder / "guard.json").write_text(record.to_json())
    return folder


def test_the_guard_is_the_one_that_was_trained(outcome: Outcome) -> None:
    guard, experiment = load_guard(outcome.files.folder)
    facts = outcome.facts.table.filter(attack="cw", threat="gray-box")
    test = sklearn_digits("test")
    rows = torch.tensor([test.rows.tolist().index(index) for index in facts["index"]])
    with torch.no_grad():
        answers = guard(test.fetch(rows)["image"].float() / 255)
    assert experiment == outcome.experiment
    assert not guard.training
    for task in ("digit", "parity", "prime"):
        assert answers[task].argmax(1).tolist() == facts[f"{task}.clean"].to_list()
    assert guard.decide(answers).rejected.tolist() == facts["rejected_clean"].to_list()


def test_a_prediction_says_what_the_heads_say(outcome: Outcome, files: list[Path], digits: torch.Tensor) -> None:
    guard, _ = load_guard(outcome.files.folder)
    with torch.no_grad():
        outputs = guard(digits.float() / 255)
    decision = guard.decide(outputs)
    said = predict(outcome.files.folder, files)
    assert [one.path for one in said] == files
    assert [one.heads["digit"] for one in said] == [str(digit) for digit in outputs["digit"].argmax(1).tolist()]
    assert [one.heads["parity"] for one in said] == [
        ("even", "odd")[group] for group in outputs["parity"].argmax(1).tolist()
    ]
    assert [one.label is None for one in said] == decision.rejected.tolist()
    assert [one.score for one in said] == decision.score.tolist()
    assert list(said[0].heads) == ["digit", "parity", "prime"]


@pytest.mark.parametrize(("threshold", "labels"), [(0.0, 0), (99.0, COUNT)])
def test_the_threshold_decides_who_is_rejected(
    outcome: Outcome, files: list[Path], tmp_path: Path, threshold: float, labels: int
) -> None:
    record = replace(outcome.files.read_guard(), threshold=threshold)
    said = predict(copy_of(outcome.files.folder, tmp_path, record=record), files)
    assert sum(one.label is not None for one in said) == labels
    assert {one.label for one in said} <= {None, *(one.heads["digit"] for one in said)}


def test_many_files_are_asked_about_part_by_part(outcome: Outcome, files: list[Path], tmp_path: Path) -> None:
    folder = copy_of(outcome.files.folder, tmp_path, record=outcome.files.read_guard())
    (folder / "experiment.json").unlink()
    text = outcome.files.experiment.read_text().replace('"batch_size": 250', '"batch_size": 5')
    (folder / "experiment.json").write_text(text)
    assert load_guard(folder)[1].batch_size == 5
    assert predict(folder, files) == predict(outcome.files.folder, files)


def test_images_are_resized_and_made_grey(outcome: Outcome, tmp_path: Path) -> None:
    colour = np.zeros((16, 24, 3), np.uint8)
    colour[..., 1] = 200
    Image.fromarray(colour).save(tmp_path / "green.png")
    Image.fromarray(np.full((8, 8), round(200 * 0.587), np.uint8)).save(tmp_path / "grey.png")
    green, grey = predict(outcome.files.folder, [tmp_path / "green.png", tmp_path / "grey.png"])
    assert (green.heads, green.score) == (grey.heads, grey.score)


def test_no_files_give_no_predictions(outcome: Outcome) -> None:
    assert predict(outcome.files.folder, []) == ()


def test_a_missing_file_is_named(outcome: Outcome, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.png"):
        predict(outcome.files.folder, [tmp_path / "absent.png"])


def test_a_file_that_is_no_image_is_named(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ValueError, match=r"text\.png"):
        predict(outcome.files.folder, [tmp_path / "text.png"])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a run"):
        predict(tmp_path, [tmp_path / "a.png"])


def test_a_run_that_was_not_trained_is_refused(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "experiment.json").symlink_to(outcome.files.experiment)
    with pytest.raises(FileNotFoundError, match="has no trained guard yet"):
        predict(tmp_path, [tmp_path / "a.png"])
