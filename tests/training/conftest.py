"""A hundred digits, and a small model of them in which everything that makes resuming hard has a place."""

import os
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from manyheads.data import Loader, Source, sklearn_digits, take
from manyheads.deferral import DELIVERIES, Fetched
from manyheads.models import MultiTaskModel, linear_heads, seeded
from manyheads.tasks import Task, classify, maps, regroup

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))


class Encoder(nn.Module):
    """A convolution with batch norm and dropout."""

    features = 64

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.2),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class Late(Fetched):
    """Numbers that arrive when the next ones are asked for, or somebody waits."""

    last: "Late | None" = None

    def __init__(self, values: torch.Tensor) -> None:
        super().__init__(values)
        Late.last = self

    def has_arrived(self) -> bool:
        return Late.last is not self


@pytest.fixture(scope="session")
def digits() -> Source:
    return take(sklearn_digits("train"), count=100, seed=0)


@pytest.fixture(scope="session")
def tasks() -> tuple[Task, ...]:
    return classify("digit", classes=10), regroup("parity", maps.load("mnist/parity"))


@pytest.fixture
def loader(digits: Source) -> Loader:
    """Four batches, the last of them smaller, in a new order every epoch."""
    return Loader(digits, batch_size=30, seed=0, shuffle=True)


@pytest.fixture
def make_model(tasks: tuple[Task, ...]) -> Callable[[], MultiTaskModel]:
    """Make the same model again and again."""
    return lambda: seeded(lambda: MultiTaskModel(Encoder(), linear_heads(tasks, features=64)), seed=0).to(DEVICE)


@pytest.fixture
def model(make_model: Callable[[], MultiTaskModel]) -> MultiTaskModel:
    return make_model()


@pytest.fixture
def batch(loader: Loader) -> dict[str, Tensor]:
    return {name: value.to(DEVICE) for name, value in next(iter(loader)).items()}


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is examined arrives late."""
    monkeypatch.setitem(DELIVERIES, DEVICE.type, Late)
