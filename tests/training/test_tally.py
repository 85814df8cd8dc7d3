"""Losses are added up over examples, whenever they become known."""

import os
from math import inf, nan

import pytest
import torch

from manyheads.deferral import deferred
from manyheads.training.tally import Tally

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))


def losses(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value, device=DEVICE, requires_grad=True) for name, value in values.items()}


def test_losses_count_as_often_as_there_are_examples() -> None:
    tally = Tally()
    tally.take(losses(digit=1.0, parity=0.5), examples=3, epoch=0.0)
    tally.take(losses(digit=2.0, parity=0.0), examples=1, epoch=0.5)
    assert tally.sums == {"digit": 5.0, "parity": 1.5}
    assert tally.latest == {"digit": 2.0, "parity": 0.0}
    assert tally.examples == 4


def test_precision_is_that_of_the_losses() -> None:
    tally = Tally()
    tally.take({"digit": torch.tensor(0.1, dtype=torch.float64), "parity": torch.tensor(0.5)}, examples=1, epoch=0.0)
    assert tally.sums == {"digit": 0.1, "parity": 0.5}


@pytest.mark.usefixtures("late")
def test_the_latest_losses_are_the_latest_known_ones_and_none_is_forgotten() -> None:
    tally, known = Tally(), []
    with deferred():
        for value in (1.0, 2.0, 3.0):
            tally.take(losses(digit=value), examples=2, epoch=0.0)
            known.append(dict(tally.latest))
    assert known == [{}, {"digit": 1.0}, {"digit": 2.0}]
    assert tally.latest == {"digit": 3.0}
    assert tally.sums == {"digit": 12.0}


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("value", [nan, inf])
def test_a_loss_that_is_not_finite_is_refused_when_it_is_known(value: float) -> None:
    tally, taken = Tally(), []

    def two_batches() -> None:
        with deferred():
            tally.take(losses(digit=1.0, parity=value), examples=2, epoch=1.5)
            taken.append(1)
            tally.take(losses(digit=1.0, parity=1.0), examples=2, epoch=1.75)

    with pytest.raises(ValueError, match=r"the loss of parity is not finite at epoch 1\.50"):
        two_batches()
    assert taken


def test_a_batch_without_losses_is_refused() -> None:
    with pytest.raises(ValueError, match="a training step returns one loss per task, got none"):
        Tally().take({}, examples=1, epoch=0.0)
