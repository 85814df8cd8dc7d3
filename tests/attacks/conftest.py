"""Victims small enough to attack many times: a net with two heads, and a linear one whose worst case is known."""

import os
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.tasks import LabelMap, Task, classify, regroup
from manyheads.threats import Budget, Loss, Objective, TaskLoss, ThreatModel
from manyheads.types import Batch, Image

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
DIGIT = classify("digit", classes=4)
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1, 0, 1)))


class TwoHeads(nn.Module):
    """A convolution with batch norm, and two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.digit = nn.Linear(6 * 9, 4)
        self.parity = nn.Linear(6 * 9, 2)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = nn.functional.softplus(self.norm(self.convolution(image)))
        features = nn.functional.avg_pool2d(features, 2).flatten(1)
        return {"digit": self.digit(features), "parity": self.parity(features)}


class Linear(nn.Module):
    """Two classes; the margin of class 1 over class 0 is `weight · image + bias`."""

    def __init__(self, weight: Tensor, bias: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = bias

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        score = image.flatten(1) @ self.weight.flatten() + self.bias
        return {"main": torch.stack([torch.zeros_like(score), score], dim=1)}


@dataclass(frozen=True)
class Victim:
    """A model, its tasks and a batch to attack it with."""

    model: nn.Module
    tasks: tuple[Task, ...]
    batch: Batch

    @property
    def clean(self) -> Image:
        return self.batch["image"]

    def threat(self, objective: Objective, *, budget: Budget, success: Objective | None = None) -> ThreatModel:
        return ThreatModel(
            name="test", model=self.model, tasks=self.tasks, objective=objective, budget=budget, success=success
        )

    def loss(self, objective: Objective | None = None, *, rows: Tensor | slice = slice(None)) -> Loss:
        objective = objective or TaskLoss(self.tasks, {self.tasks[0].name: 1.0})
        batch = {name: value[rows] for name, value in self.batch.items()}
        return ThreatModel(
            name="test", model=self.model, tasks=self.tasks, objective=objective, budget=None
        ).loss(batch)
