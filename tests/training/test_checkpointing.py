"""Checkpoints: three files, whole or not at all, and clear words about damaged ones."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from manyheads.training import Checkpoints

EPOCH = {"epoch": 3, "history": [(0, "train", "digit", 0.5)]}


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "run" / "weights")


def filled(value: float) -> nn.Linear:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, value)
    return model


def test_a_finished_epoch_leaves_the_last_weights_and_the_state(checkpoints: Checkpoints) -> None:
    checkpoints.save(filled(1.0), EPOCH, is_best=False)
    assert load_file(checkpoints.last)["weight"].tolist() == [[1.0, 1.0]]
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["last.safetensors", "resume.pt"]
    state = checkpoints.load()
    assert {name: state[name] for name in EPOCH} == EPOCH
    assert torch.equal(state["model"]["weight"], torch.ones(1, 2))


def test_the_best_weights_stay_until_better_ones_come(checkpoints: Checkpoints) -> None:
    for value, is_best in ((1.0, True), (2.0, False)):
        checkpoints.save(filled(value), EPOCH, is_best=is_best)
    assert load_file(checkpoints.best)["weight"].tolist() == [[1.0, 1.0]]
    assert load_file(checkpoints.last)["weight"].tolist() == [[2.0, 2.0]]
    checkpoints.save(filled(3.0), EPOCH, is_best=True)
    assert load_file(checkpoints.best)["weight"].tolist() == [[3.0, 3.0]]


def test_load_best_prefers_the_best_weights(checkpoints: Checkpoints) -> None:
    checkpoints.save(filled(1.0), EPOCH, is_best=True)
    checkpoints.save(filled(2.0), EPOCH, is_best=False)
    model = filled(0.0)
    checkpoints.load_best(model)
    assert model.weight.tolist() == [[1.0, 1.0]]


def test_load_best_takes_the_last_weights_where_nothing_chose_any(checkpoints: Checkpoints) -> None:
    checkpoints.save(filled(2.0), EPOCH, is_best=False)
    model = filled(0.0)
    checkpoints.load_best(model)
    assert model.weight.tolist() == [[2.0, 2.0]]


def test_load_best_before_the_first_epoch_is_refused(checkpoints: Checkpoints) -> None:
    with pytest.raises(FileNotFoundError, match=r"last\.safetensors: no such file"):
        checkpoints.load_best(filled(0.0))


def test_before_the_first_epoch_there_is_no_state(checkpoints: Checkpoints) -> None:
    assert checkpoints.load() is None


def test_a_half_written_state_is_not_looked_at(checkpoints: Checkpoints) -> None:
    checkpoints.save(filled(1.0), EPOCH, is_best=False)
    checkpoints.resume.with_suffix(".tmp").write_bytes(checkpoints.resume.read_bytes()[:100])
    assert checkpoints.load()["epoch"] == 3


@pytest.mark.parametrize("kept", [0, 100, 700])
def test_a_truncated_state_is_refused(checkpoints: Checkpoints, kept: int) -> None:
    checkpoints.save(filled(1.0), EPOCH, is_best=False)
    checkpoints.resume.write_bytes(checkpoints.resume.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"resume\.pt is damaged .*; delete it to train again"):
        checkpoints.load()


def test_a_state_that_would_run_code_is_refused(checkpoints: Checkpoints, tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    checkpoints.folder.mkdir(parents=True)
    torch.save(Malicious(), checkpoints.resume)
    with pytest.raises(ValueError, match=r"resume\.pt is damaged"):
        checkpoints.load()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [{"weights": 1}, [1, 2]])
def test_another_file_than_a_state_is_refused(checkpoints: Checkpoints, content: object) -> None:
    checkpoints.folder.mkdir(parents=True)
    torch.save(content, checkpoints.resume)
    with pytest.raises(ValueError, match="is not a training state; delete it to train again"):
        checkpoints.load()
