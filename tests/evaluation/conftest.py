"""A small victim with two heads and two dozen images, made without any download."""

import os
import runpy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from manyheads.defences import Disagreement, Guard
from manyheads.evaluation import Facts
from manyheads.tasks import LabelMap, Task, classify, regroup
from manyheads.threats import Linf, TaskLoss, ThreatModel

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
PARITY = LabelMap(("even", "odd"), (0, 1, 0, 1))
TASKS = (classify("digit", classes=4), regroup("parity", PARITY))


class TwoHeads(nn.Module):
    """Smooth heads on batch-normalised pixels; dropout makes train mode noisy."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.noise, self.hidden = nn.BatchNorm2d(1), nn.Dropout(0.5), nn.Linear(16, 12)
        self.digit, self.parity = nn.Linear(12, 4), nn.Linear(12, 2)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = torch.tanh(2 * self.hidden(self.noise(self.norm(image).flatten(1))))
        return {"digit": 3 * self.digit(features), "parity": 3 * self.parity(features)}


@dataclass(frozen=True)
class Scene:
    """A victim, an attacker of it, and images."""

    model: nn.Module
    guard: Guard
    threat: ThreatModel
    examples: dict[str, Tensor]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return TASKS

    def batches(self, size: int = 10) -> list[dict[str, Tensor]]:
        """The images in batches of a size."""
        count = len(self.examples["image"])
        return [
            {name: value[row : row + size] for name, value in self.examples.items()} for row in range(0, count, size)
        ]


@pytest.fixture
def make_model() -> Callable[[int], nn.Module]:
    def make(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return TwoHeads().to(DEVICE)

    return make


@pytest.fixture
def scene(make_model: Callable[[int], nn.Module]) -> Scene:
    """Two dozen examples with numbers of their own; the victim errs on some of them even when they are clean."""
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(24, 1, 4, 4, generator=generator).to(DEVICE)
    model = make_model(0)
    answer = model.eval()(image)["digit"].argmax(1)
    drawn = torch.randint(4, (24,), generator=generator).to(DEVICE)
    label = torch.where((torch.rand(24, generator=generator) < 0.8).to(DEVICE), answer, drawn)
    model.train()
    objective = TaskLoss(TASKS, {"digit": 1.0})
    threat = ThreatModel(name="gray-box", model=model, tasks=TASKS, objective=objective, budget=Linf(0.1))
    guard = Guard(model, Disagreement("digit", {"parity": PARITY}))
    index = torch.arange(24, device=DEVICE) * 3 + 100
    return Scene(model, guard, threat, {"image": image, "label": label, "index": index})


@pytest.fixture
def transfer(scene: Scene, make_model: Callable[[int], nn.Module]) -> ThreatModel:
    """An attacker who has a model of their own."""
    return replace(scene.threat, name="transfer", model=make_model(9))


@pytest.fixture(scope="session")
def facts() -> Facts:
    """Five examples by hand: right, wrong, right but rejected, wrong and rejected, right until attacked."""
    return Facts(
        pl.DataFrame(
            {
                "model": "m", "threat": "gray-box", "attack": "pgd", "eps": 0.3, "norm": "Linf", "main": "digit",
                "index": [0, 1, 2, 3, 4],
                "size": [0.3, 0.3, 0.3, 0.3, 0.3],
                "won": [False, True, False, True, True],
                "loss_clean": 0.1, "loss_attacked": 2.0,
                "score_clean": [0.0, 0.0, 1.0, 1.0, 0.0],
                "score_attacked": [0.0, 0.0, 1.0, 1.0, 1.0],
                "rejected_clean": [False, False, True, True, False],
                "rejected_attacked": [False, False, True, True, True],
                "digit.truth": [1, 2, 3, 0, 1], "digit.clean": [1, 0, 3, 1, 1], "digit.attacked": [1, 0, 3, 1, 2],
                "parity.truth": [1, 0, 1, 0, 1], "parity.clean": [1, 0, 0, 0, 1], "parity.attacked": [1, 0, 0, 0, 1],
            }
        )
    )  # fmt: skip


@pytest.fixture(scope="session")
def masked() -> SimpleNamespace:
    """What `masked.py` beside this file defines, with `model`: its healthy classifier, trained once."""
    found = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("masked.py"))))
    found.model = found.trained()
    return found


@pytest.fixture(scope="module")
def dense() -> SimpleNamespace:
    """What `dense_scene.py` beside this file defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("dense_scene.py"))))
