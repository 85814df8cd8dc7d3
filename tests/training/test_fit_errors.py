"""What training refuses, and in which words."""

from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from manyheads.data import Loader
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.training import SGD, Checkpoints, Clean, Plan, fit
from manyheads.types import Batch


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return SGD(learning_rate=0.05).build(model.parameters())


@pytest.fixture
def clean(tasks: tuple[Task, ...]) -> Clean:
    return Clean(tasks)


@pytest.mark.parametrize("batches", [[], iter(())])
def test_an_epoch_without_batches_is_refused(model: MultiTaskModel, clean: Clean, batches: list) -> None:
    with pytest.raises(ValueError, match="an epoch of training had no batches"):
        fit(model, clean, batches, optimizer=sgd(model))


def test_an_iterator_that_is_used_up_is_refused_in_the_second_epoch(
    model: MultiTaskModel, clean: Clean, loader: Loader
) -> None:
    with pytest.raises(ValueError, match="or an iterator that is used up"):
        fit(model, clean, iter(loader), optimizer=sgd(model), plan=Plan(epochs=2))


@pytest.mark.parametrize("value", [nan, inf])
def test_a_loss_that_is_not_finite_stops_training_before_it_reaches_the_weights(
    model: MultiTaskModel, clean: Clean, loader: Loader, value: float
) -> None:
    def broken(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        losses = dict(clean(model, batch))
        return {**losses, "parity": losses["parity"] * value}

    with pytest.raises(ValueError, match=r"the loss of parity is not finite at epoch 0\.00; lower the learning rate"):
        fit(model, broken, loader, optimizer=sgd(model))
    assert all(parameter.isfinite().all() for parameter in model.parameters())


@pytest.mark.usefixtures("late")
def test_a_loss_that_is_found_out_late_stops_training_before_anything_is_kept(
    model: MultiTaskModel, clean: Clean, loader: Loader, tmp_path: Path
) -> None:
    seen = []

    def broken_at_last(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        seen.append(len(batch["image"]))
        return {name: loss * (nan if len(seen) == 4 else 1) for name, loss in clean(model, batch).items()}

    plan = Plan(epochs=2, checkpoints=Checkpoints(tmp_path / "weights"), validate=lambda _: {"robust": 1.0})
    with pytest.raises(ValueError, match=r"the loss of digit, parity is not finite at epoch 0\.75"):
        fit(model, broken_at_last, loader, optimizer=sgd(model), plan=plan)
    assert len(seen) == 4
    assert not (tmp_path / "weights").exists()


def test_a_step_without_losses_is_refused(model: MultiTaskModel, loader: Loader) -> None:
    with pytest.raises(ValueError, match="a training step returns one loss per task, got none"):
        fit(model, Clean([]), loader, optimizer=sgd(model))


@pytest.mark.parametrize("measures", [{"clean": 1.0}, {"robust": nan}])
def test_validation_without_the_selected_measure_is_refused(
    model: MultiTaskModel, clean: Clean, loader: Loader, measures: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="the best weights are chosen by 'robust', but validation gave "):
        fit(model, clean, loader, optimizer=sgd(model), plan=Plan(validate=lambda _: measures))


def test_a_plan_without_epochs_is_refused() -> None:
    with pytest.raises(ValueError, match="training needs at least one epoch, got 0"):
        Plan(epochs=0)


def test_patience_of_no_epochs_is_refused() -> None:
    with pytest.raises(ValueError, match="patience is at least one epoch, got 0; None never stops"):
        Plan(patience=0, validate=lambda _: {"robust": 1.0})


def test_patience_without_validation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"patience needs validate=\.\.\., or nothing tells when to stop"):
        replace(Plan(), patience=3)
