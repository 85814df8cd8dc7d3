"""Two processes train one model like one process does; what they say stands in `two_processes.py`."""

import json
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import nn

from manyheads.training import Checkpoints
from manyheads.training.processes import (
    added_up,
    averaged,
    check_counts,
    gathered,
    share_buffers,
    share_weights,
    weighed,
)

SCRIPT = Path(__file__).with_name("two_processes.py")
Told = tuple[dict, dict]
NO_TORCHJD = pytest.mark.skipif(not all(map(find_spec, ("torchjd", "quadprog"))), reason="needs the extra torchjd")
AGGREGATORS = ["aggregated", pytest.param("upgrad", marks=NO_TORCHJD)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both processes wrote."""
    found = tmp_path_factory.mktemp("processes")
    done = subprocess.run([sys.executable, SCRIPT, found], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return found


@pytest.fixture(scope="module")
def told(folder: Path) -> Told:
    first, second = (json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1))
    return first, second


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


def weights(folder: Path, *, name: str, rank: int) -> dict[str, torch.Tensor]:
    return load_file(folder / f"{name} {rank}.safetensors")


@pytest.mark.parametrize("name", ["clean", "hardened"])
def test_two_processes_train_like_one_with_their_joint_batches(
    folder: Path, told: Told, script: SimpleNamespace, name: str
) -> None:
    alone = script.plain_model()
    history = script.train(alone, script.STEPS[name])
    together = weights(folder, name=name, rank=0)
    assert together.keys() == alone.state_dict().keys()
    for key, value in alone.state_dict().items():
        assert torch.allclose(together[key], value, atol=1e-5), key
    assert [line["value"] for line in told[0][name]] == pytest.approx([line.value for line in history], rel=1e-4)


@pytest.mark.parametrize("name", AGGREGATORS)
def test_two_processes_aggregate_gradients_like_one_with_their_joint_batches(
    folder: Path, script: SimpleNamespace, name: str
) -> None:
    alone = script.plain_model()
    script.train(alone, script.STEPS["clean"], combine=script.AGGREGATED[name])
    together, plain = (weights(folder, name=each, rank=0) for each in (name, "clean"))
    for key, value in alone.state_dict().items():
        assert torch.allclose(together[key], value, atol=1e-5), key
    assert not torch.allclose(together["encoder.layers.1.weight"], plain["encoder.layers.1.weight"], atol=1e-3)


@pytest.mark.parametrize("name", ["clean", "hardened", *AGGREGATORS, "stopped", "carried on"])
def test_both_processes_end_with_the_same_weights_and_history(folder: Path, told: Told, name: str) -> None:
    first, second = (weights(folder, name=name, rank=rank) for rank in (0, 1))
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[key]) for key, value in first.items())
    assert told[0][name] == told[1][name]


def test_training_moved_the_weights(folder: Path, script: SimpleNamespace) -> None:
    start = script.normed_model().state_dict()
    trained = weights(folder, name="carried on", rank=0)
    assert start.keys() == trained.keys()
    assert not any(torch.equal(value, trained[key]) for key, value in start.items())


@pytest.mark.parametrize(("name", "epochs"), [("stopped", 2), ("carried on", 4)])
def test_both_processes_stop_when_the_first_one_does(folder: Path, told: Told, name: str, epochs: int) -> None:
    assert [one[name][-1]["epoch"] + 1 for one in told] == [epochs, epochs]
    assert Checkpoints(folder / name).load()["epoch"] == epochs


def test_unequal_numbers_of_batches_are_refused_by_both(told: Told) -> None:
    for one in told:
        assert one["unequal"].startswith("every process needs the same number of batches in an epoch, got [2, 3]; ")


def test_all_have_the_first_ones_weights_in_the_end(told: Told) -> None:
    assert [one["shared"] for one in told] == [[1.0] * 6] * 2


def test_a_process_alone_has_nobody_to_wait_for() -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    layer = nn.BatchNorm1d(3)
    check_counts(7, fabric)
    share_buffers(layer, fabric)
    assert added_up([1.5, 2.0], fabric) == [1.5, 2.0]
    assert averaged(torch.tensor([1.5, 2.0]), fabric).tolist() == [1.5, 2.0]
    share_weights(layer, fabric)
    assert layer.running_mean.tolist() == [0.0, 0.0, 0.0]
    assert layer.weight.tolist() == [1.0, 1.0, 1.0]
    assert gathered("mine", fabric) == ["mine"]
    losses = {"digit": torch.ones(())}
    assert weighed(losses, {"image": torch.zeros(3)}, fabric) is losses
