"""Descriptions of optimisers make what they describe."""

import pytest
import torch
from torch import nn

from manyheads.training import SGD, Adam, Optimizer


def test_sgd_hands_all_its_numbers_on() -> None:
    made = SGD(learning_rate=0.3, momentum=0.8, weight_decay=0.01).build([nn.Parameter(torch.zeros(2))])
    assert isinstance(made, torch.optim.SGD)
    assert [made.defaults[name] for name in ("lr", "momentum", "weight_decay")] == [0.3, 0.8, 0.01]


def test_adam_hands_all_its_numbers_on() -> None:
    made = Adam(learning_rate=0.02, weight_decay=0.1).build([nn.Parameter(torch.zeros(2))])
    assert isinstance(made, torch.optim.Adam)
    assert [made.defaults[name] for name in ("lr", "weight_decay")] == [0.02, 0.1]


def test_sgd_repeats_its_last_step_and_pulls_at_the_weights() -> None:
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = SGD(learning_rate=0.1, momentum=0.5, weight_decay=0.2).build([weight])
    for _ in range(2):
        weight.grad = torch.tensor([1.0])
        optimizer.step()
    # Velocities 1 + 0.2 · 1 = 1.2, then 0.5 · 1.2 + 1 + 0.2 · 0.88 = 1.776.
    assert weight.item() == pytest.approx(1 - 0.1 * 1.2 - 0.1 * 1.776)


@pytest.mark.parametrize("described", [SGD(), Adam()])
def test_the_parameters_are_those_of_the_model(described: Optimizer) -> None:
    model = nn.Linear(2, 2)
    (group,) = described.build(model.parameters()).param_groups
    assert {id(parameter) for parameter in group["params"]} == {id(parameter) for parameter in model.parameters()}


@pytest.mark.parametrize("described", [SGD(), Adam()])
def test_all_parameters_are_updated_at_once(described: Optimizer) -> None:
    (group,) = described.build([nn.Parameter(torch.zeros(2))]).param_groups
    assert group["fused"]
