"""An interrupted run ends with the weights of an uninterrupted one, bit by bit."""

import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from manyheads.data import Loader
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.training import SGD, Checkpoints, Clean, Measurement, Plan, fit

SCRIPT = Path(__file__).with_name("interrupted.py")
MakeModel = Callable[[], MultiTaskModel]


class PowerCutError(Exception):
    """Ends a run from outside."""


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return SGD(learning_rate=0.05).build(model.parameters())


def undisturbed(done: float, losses: Mapping[str, float]) -> None:
    """Let the run go on."""


def cut_at(moment: float) -> Callable[[float, Mapping[str, float]], None]:
    """Stop a run after the batch at which so much is done."""

    def cut(done: float, _: Mapping[str, float]) -> None:
        if done >= moment:
            raise PowerCutError

    return cut


def same(first: nn.Module, second: nn.Module) -> bool:
    theirs = second.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in first.state_dict().items())


@pytest.fixture(scope="module")
def interrupted() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.fixture(scope="module")
def whole(interrupted: SimpleNamespace) -> dict[str, tuple[MultiTaskModel, tuple[Measurement, ...]]]:
    """Every variant's uninterrupted run."""
    return {
        name: interrupted.train(variant, checkpoints=None, watch=undisturbed)
        for name, variant in interrupted.VARIANTS.items()
    }


@pytest.fixture
def clean(tasks: tuple[Task, ...]) -> Clean:
    return Clean(tasks)


def test_a_run_that_was_killed_goes_on_bit_by_bit(interrupted: SimpleNamespace, whole: dict, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SCRIPT, "hardened", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.load()["epoch"] == 1
    model, history = interrupted.train(interrupted.VARIANTS["hardened"], checkpoints=checkpoints, watch=undisturbed)
    expected, expected_history = whole["hardened"]
    assert history == expected_history
    assert same(model, expected)


@pytest.mark.parametrize("variant", ["momentum", "adam", "hardened"])
@pytest.mark.parametrize("moment", [1 / 12, 6 / 12, 12 / 12])
def test_a_run_goes_on_bit_by_bit_wherever_it_was_stopped(
    interrupted: SimpleNamespace, whole: dict, tmp_path: Path, variant: str, moment: float
) -> None:
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(PowerCutError):
        interrupted.train(interrupted.VARIANTS[variant], checkpoints=checkpoints, watch=cut_at(moment))
    model, history = interrupted.train(interrupted.VARIANTS[variant], checkpoints=checkpoints, watch=undisturbed)
    expected, expected_history = whole[variant]
    assert history == expected_history
    assert same(model, expected)
    checkpoints.load_best(model)
    assert same(model, expected) == (
        max(line.value for line in history if line.phase == "validation") == history[-1].value
    )


def test_training_changes_every_tensor_that_is_compared(interrupted: SimpleNamespace, whole: dict) -> None:
    start, (model, _) = interrupted.make_model().state_dict(), whole["adam"]
    assert not any(torch.equal(value, start[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (None, 6)])
def test_training_stops_once_patience_is_out(
    model: MultiTaskModel, clean: Clean, loader: Loader, patience: int | None, epochs: int
) -> None:
    measures = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.1])
    plan = Plan(epochs=6, validate=lambda _: {"robust": next(measures)}, patience=patience)
    history = fit(model, clean, loader, optimizer=sgd(model), plan=plan)
    assert history[-1].epoch + 1 == epochs


def test_best_and_last_weights_are_kept_apart(
    model: MultiTaskModel, make_model: MakeModel, clean: Clean, loader: Loader, tmp_path: Path
) -> None:
    measures, seen = iter([0.1, 0.5, 0.4]), []

    def validate(found: nn.Module) -> dict[str, float]:
        seen.append({name: value.clone() for name, value in found.state_dict().items()})
        return {"robust": next(measures)}

    plan = Plan(epochs=3, validate=validate, checkpoints=Checkpoints(tmp_path))
    fit(model, clean, loader, optimizer=sgd(model), plan=plan)
    best = make_model()
    plan.checkpoints.load_best(best)
    assert all(torch.equal(value, seen[1][name]) for name, value in best.state_dict().items())
    assert all(torch.equal(value, seen[2][name]) for name, value in model.state_dict().items())


def test_a_finished_run_returns_its_history_at_once(
    make_model: MakeModel, clean: Clean, loader: Loader, tmp_path: Path
) -> None:
    plan = Plan(epochs=2, checkpoints=Checkpoints(tmp_path))
    first, second = make_model(), make_model()
    history = fit(first, clean, loader, optimizer=sgd(first), plan=plan)
    assert fit(second, clean, iter(()), optimizer=sgd(second), plan=plan) == history
    assert not second.training
    assert same(first, second)


def test_a_run_whose_patience_is_out_stays_finished(
    make_model: MakeModel, clean: Clean, loader: Loader, tmp_path: Path
) -> None:
    measures = iter([0.5, 0.1])
    plan = Plan(epochs=9, validate=lambda _: {"robust": next(measures)}, patience=1, checkpoints=Checkpoints(tmp_path))
    first, second = make_model(), make_model()
    history = fit(first, clean, loader, optimizer=sgd(first), plan=plan)
    assert fit(second, clean, loader, optimizer=sgd(second), plan=plan) == history
    assert history[-1].epoch == 1


def test_measures_of_any_number_type_can_be_resumed(
    make_model: MakeModel, clean: Clean, loader: Loader, tmp_path: Path
) -> None:
    measures = {"robust": np.float64(0.5), "clean": torch.tensor(0.25)}
    for epochs in (1, 2):
        plan = Plan(epochs=epochs, validate=lambda _: measures, checkpoints=Checkpoints(tmp_path))
        model = make_model()
        history = fit(model, clean, loader, optimizer=sgd(model), plan=plan)
    assert [line.value for line in history if line.phase == "validation"] == [0.5, 0.25, 0.5, 0.25]


def test_a_longer_plan_goes_on_from_a_finished_run(
    make_model: MakeModel, clean: Clean, loader: Loader, tmp_path: Path
) -> None:
    resumed, whole = make_model(), make_model()
    for model, epochs in ((make_model(), 1), (resumed, 2)):
        plan = Plan(epochs=epochs, checkpoints=Checkpoints(tmp_path))
        fit(model, clean, loader, optimizer=sgd(model), plan=plan)
    fit(whole, clean, loader, optimizer=sgd(whole), plan=Plan(epochs=2))
    assert same(resumed, whole)
