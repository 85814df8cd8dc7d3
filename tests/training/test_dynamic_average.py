"""Dynamic weight average: weights by hand, and the same ones after a resume."""

import math
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.training import SGD, Checkpoints, DynamicAverage, Equal, Fixed, Informed, Measurement, Plan, fit

BATCHES = [{"image": torch.ones(2, 1, 1, 1)}]


class Two(nn.Module):
    """Two numbers that fall at different rates."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor(3.0))


def squares(model: nn.Module, _: object) -> dict[str, Tensor]:
    return {"first": model.first.square(), "second": 0.1 * model.second.square()}


def history(*losses: tuple[float, float]) -> tuple[Measurement, ...]:
    lines = []
    for epoch, values in enumerate(losses):
        named = zip(("first", "second"), values, strict=True)
        lines += [Measurement(epoch, "train", name, value) for name, value in named]
        lines.append(Measurement(epoch, "validation", "robust", -1.0))
    return tuple(lines)


def trained(epochs: int, folder: Path | None = None) -> Two:
    model = Two()
    plan = Plan(epochs=epochs, checkpoints=Checkpoints(folder) if folder else None)
    optimizer = SGD(learning_rate=0.05, momentum=0.0, weight_decay=0.0).build(model.parameters())
    fit(model, squares, BATCHES, optimizer=optimizer, combine=DynamicAverage(), plan=plan)
    return model


def test_the_weights_follow_the_last_two_epochs() -> None:
    found = DynamicAverage(temperature=2.0).given(history((9.0, 9.0), (4.0, 1.0), (1.0, 1.0)))
    slow, fast = math.exp(1 / 2), math.exp(0.25 / 2)
    assert isinstance(found, Fixed)
    assert found.weights["first"] == pytest.approx(2 * fast / (slow + fast))
    assert sum(found.weights.values()) == pytest.approx(2)


@pytest.mark.parametrize("epochs", [0, 1])
def test_without_two_epochs_all_weights_are_one(epochs: int) -> None:
    assert DynamicAverage().given(history(*[(1.0, 2.0)] * epochs)) == Equal()


def test_a_high_temperature_makes_all_weights_alike() -> None:
    found = DynamicAverage(temperature=1e6).given(history((4.0, 1.0), (1.0, 1.0)))
    assert found.weights == pytest.approx({"first": 1, "second": 1}, abs=1e-5)


def test_training_uses_the_weights_from_the_third_epoch_on() -> None:
    model = Two()
    values, numbers = [], [2.0, 3.0]
    for epoch in range(4):
        values.append((numbers[0] ** 2, 0.1 * numbers[1] ** 2))
        quotients = [values[epoch - 1][task] / values[epoch - 2][task] for task in (0, 1)] if epoch > 1 else [1.0, 1.0]
        strengths = [math.exp(quotient / 2) for quotient in quotients]
        weights = [2 * strength / sum(strengths) for strength in strengths]
        numbers = [
            number * (1 - 0.1 * weight * scale)
            for number, weight, scale in zip(numbers, weights, (1, 0.1), strict=True)
        ]
    model = trained(4)
    assert [model.first.item(), model.second.item()] == pytest.approx(numbers, rel=1e-5)


def test_a_resumed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    trained(3, tmp_path)
    resumed, whole = trained(5, tmp_path), trained(5)
    assert resumed.first.item() == whole.first.item() != trained(3).first.item()
    assert resumed.second.item() == whole.second.item()


def test_it_is_told_the_history_and_by_itself_is_the_sum() -> None:
    assert isinstance(DynamicAverage(), Informed)
    assert not isinstance(Equal(), Informed)
    model = Two()
    DynamicAverage().backward(squares(model, None), Fabric(accelerator="cpu", devices=1))
    assert (model.first.grad.item(), model.second.grad.item()) == pytest.approx((4, 0.6))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_not_above_zero_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="the temperature is above zero, got"):
        DynamicAverage(temperature)


@pytest.mark.parametrize("losses", [[(1.0, 1.0), (1.0, -0.1)], [(1.0, 0.0), (1.0, 1.0)]])
def test_losses_that_are_not_above_zero_are_refused(losses: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="needs losses above zero, and that of second was not; take Aggregated"):
        DynamicAverage().given(history(*losses))
