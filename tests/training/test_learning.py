"""Every step learns, and hardening hardens: real digits, a few seconds."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.data import Loader, Source, sklearn_digits, take
from manyheads.models import MultiTaskModel, linear_heads, seeded
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import Linf, TaskLoss, ThreatModel
from manyheads.training import Adam, Adversarial, Clean, Measurement, OneCycle, Plan, Ramped, Step, fit

BUDGET = Linf(0.15)
EPOCHS = 10
Tasks = tuple[Task, ...]


class Encoder(nn.Module):
    """One hidden layer."""

    features = 64

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


@dataclass(frozen=True)
class Trained:
    """A model and how it came to be."""

    model: nn.Module
    history: tuple[Measurement, ...]


@pytest.fixture(scope="module")
def train(tasks: Tasks) -> Callable[[Step], Trained]:
    """Train a small network with one step."""
    source = take(sklearn_digits("train"), count=600, seed=0)

    def run(step: Step) -> Trained:
        model = seeded(lambda: MultiTaskModel(Encoder(), linear_heads(tasks, features=64)), seed=0)
        batches = Loader(source, batch_size=100, shuffle=True)
        optimizer = Adam(0.03).build(model.parameters())
        return Trained(
            model, fit(model, step, batches, optimizer=optimizer, plan=Plan(epochs=EPOCHS, schedule=OneCycle()))
        )

    return run


@pytest.fixture(scope="module")
def trained(tasks: Tasks, train: Callable[[Step], Trained]) -> dict[str, Trained]:
    hardened = Adversarial(tasks, {"digit": 1.0}, PGD(steps=2, step_size=0.1), BUDGET)
    steps = {"clean": Clean(tasks), "adversarial": hardened, "ramped": Ramped(hardened, 0.4)}
    return {name: train(step) for name, step in steps.items()}


@pytest.fixture(scope="module")
def unseen() -> Source:
    return take(sklearn_digits("test"), count=200, seed=0)


def accuracy(model: nn.Module, source: Source, *, tasks: Tasks, budget: Linf) -> float:
    """Share of right answers of the main head under PGD."""
    batch = next(iter(Loader(source, batch_size=len(source))))
    objective = TaskLoss(tasks, {"digit": 1.0})
    threat = ThreatModel(name="pgd", model=model, tasks=tasks, objective=objective, budget=budget)
    streams = Streams.of_examples(batch["index"], seed=0, stage="test")
    image = PGD(steps=10, step_size=0.04)(threat.loss(batch), batch["image"], budget, rng=streams)
    with torch.no_grad():
        return float((model(image)["digit"].argmax(1) == batch["label"]).float().mean())


@pytest.mark.parametrize("name", ["clean", "adversarial", "ramped"])
def test_every_step_halves_the_main_loss_and_lowers_the_hidden_one(trained: dict[str, Trained], name: str) -> None:
    losses = {(line.measure, line.epoch): line.value for line in trained[name].history}
    assert losses["digit", EPOCHS - 1] < losses["digit", 0] / 2
    assert losses["parity", EPOCHS - 1] < losses["parity", 0] / 1.5


def test_hardened_models_beat_plain_ones_under_attack(
    trained: dict[str, Trained], unseen: Source, tasks: Tasks
) -> None:
    robust = {name: accuracy(one.model, unseen, tasks=tasks, budget=BUDGET) for name, one in trained.items()}
    assert robust["adversarial"] > robust["clean"] + 0.2
    assert robust["ramped"] > robust["clean"] + 0.2


def test_all_of_them_are_good_on_clean_images(trained: dict[str, Trained], unseen: Source, tasks: Tasks) -> None:
    clean = {name: accuracy(one.model, unseen, tasks=tasks, budget=Linf(0.0)) for name, one in trained.items()}
    assert min(clean.values()) > 0.85
