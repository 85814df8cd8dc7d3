"""A run that may kill itself in the middle of an epoch; as a script, it does so in a process of its own."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.data import Loader, sklearn_digits, take
from manyheads.models import MultiTaskModel, linear_heads, seeded
from manyheads.tasks import classify, maps, regroup
from manyheads.threats import Linf
from manyheads.training import (
    SGD,
    Adam,
    Adversarial,
    Checkpoints,
    Clean,
    Cosine,
    Measurement,
    Optimizer,
    Plan,
    Ramped,
    Step,
    fit,
)

TASKS = (classify("digit", classes=10), regroup("parity", maps.load("mnist/parity")))
HARDENED = Adversarial(TASKS, {"digit": 1.0}, PGD(steps=2, step_size=0.1), Linf(0.2))


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    step: Step
    optimizer: Optimizer


VARIANTS = {
    "momentum": Variant(Clean(TASKS), SGD(learning_rate=0.05, momentum=0.9)),
    "adam": Variant(Clean(TASKS), Adam(learning_rate=0.01)),
    "hardened": Variant(Ramped(HARDENED, 0.5), SGD(learning_rate=0.05, momentum=0.9)),
}
"""Each with batch norm, dropout, shuffling and a schedule."""


class Encoder(nn.Module):
    """Batch norm and dropout."""

    features = 32

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(0.3), nn.Linear(64, 32), nn.ReLU(),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """Return the features."""
        return self.layers(image)


def make_model() -> MultiTaskModel:
    """Make the model with its first weights."""
    return seeded(lambda: MultiTaskModel(Encoder(), linear_heads(TASKS, features=32)), seed=0)


def weight_sum(model: nn.Module) -> dict[str, float]:
    """Stand in for a validation: a number that depends on the weights."""
    return {"robust": float(sum(weight.detach().abs().sum() for weight in model.parameters()))}


def train(
    variant: Variant, *, checkpoints: Checkpoints | None, watch: Callable[[float, Mapping[str, float]], None]
) -> tuple[MultiTaskModel, tuple[Measurement, ...]]:
    """Train three epochs of four batches, or what is missing of them."""
    batches = Loader(take(sklearn_digits("train"), count=40, seed=0), batch_size=10, shuffle=True)
    model = make_model()
    plan = Plan(epochs=3, schedule=Cosine(), validate=weight_sum, checkpoints=checkpoints, seed=5, watch=watch)
    optimizer = variant.optimizer.build(model.parameters())
    return model, fit(model, variant.step, batches, optimizer=optimizer, plan=plan)


def killed(done: float, _: Mapping[str, float]) -> None:
    """Die without a word in the middle of the second epoch."""
    if done >= 0.5:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(VARIANTS[sys.argv[1]], checkpoints=Checkpoints(Path(sys.argv[2])), watch=killed)
