"""Victims small enough to attack many times: a net with two heads, and a linear one whose worst case is known."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.tasks import LabelMap, Task, classify, regroup
from manyheads.threats import Linf, Loss, Margin, Objective, TaskLoss, ThreatModel
from manyheads.types import Batch, Image

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
DIGIT = classify("digit", classes=4)
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1, 0, 1)))
MAIN = classify("main", classes=2)


class TwoHeads(nn.Module):
    """A convolution with batch norm, and two heads; every layer bends, so that gradients vary along an attack."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.digit = nn.Linear(6 * 9, 4)
        self.parity = nn.Linear(6 * 9, 2)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = nn.functional.softplus(4 * self.norm(self.convolution(image)))
        features = nn.functional.avg_pool2d(features, 2).flatten(1)
        return {"digit": self.digit(features), "parity": self.parity(features)}


class Linear(nn.Module):
    """Two classes; the score of class 1 is `weight · image + bias`, that of class 0 is zero."""

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

    def loss(self, objective: Objective | None = None, *, rows: Tensor | slice = slice(None)) -> Loss:
        """What an attack on some rows sees; by default it raises the loss of the first task."""
        objective = objective or TaskLoss(self.tasks, {self.tasks[0].name: 1.0})
        threat = ThreatModel(name="t", model=self.model, tasks=self.tasks, objective=objective, budget=Linf(0.1))
        return threat.loss({name: value[rows] for name, value in self.batch.items()})


@pytest.fixture
def victim() -> Victim:
    """Five images, some pixels black or white; the model, in eval mode, is wrong about the last image alone."""
    with torch.random.fork_rng():
        torch.manual_seed(8)
        model = TwoHeads().eval()
    generator = torch.Generator().manual_seed(0)
    image = (1.4 * torch.rand(5, 3, 6, 6, generator=generator) - 0.2).clamp(0, 1)
    label = model(image)["digit"].argmax(1) + torch.tensor([0, 0, 0, 0, 1])
    batch = {"image": image.to(DEVICE), "label": label.to(DEVICE) % 4}
    return Victim(model.to(DEVICE), (DIGIT, PARITY), batch)


@pytest.fixture
def linear() -> Callable[..., Victim]:
    """Make a linear victim that is right (or wrong) about eight images with pixels between `low` and `high`.

    Their distances from the boundary are 0.1 to 0.6.
    """

    def make(*, low: float, high: float, wrong: bool = False) -> Victim:
        generator = torch.Generator().manual_seed(1)
        weight = torch.randn(3, 4, 4, generator=generator)
        image = low + (high - low) * torch.rand(40, 3, 4, 4, generator=generator)
        score = image.flatten(1) @ weight.flatten()
        bias = -float(score.median())
        distance = (score + bias).abs() / weight.norm()
        image = image[(distance > 0.1) & (distance < 0.6)][:8]
        model = Linear(weight, bias)
        label = model(image)["main"].argmax(1)
        label = 1 - label if wrong else label
        return Victim(model.to(DEVICE), (MAIN,), {"image": image.to(DEVICE), "label": label.to(DEVICE)})

    return make


@pytest.fixture
def margin() -> Margin:
    """The linear victim's margin: linear in the image."""
    return Margin(MAIN)
