"""The attacker's own model: like the victim, and yet another."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from manyheads.experiments import Data, Experiment, RunFiles
from manyheads.experiments.stages import open_workshop
from manyheads.experiments.surrogate import STEPS, train_surrogate
from manyheads.training import Adam

Make = Callable[..., Experiment]


def made(experiment: Experiment) -> torch.nn.Module:
    shop = open_workshop(experiment, RunFiles(experiment.run))
    return train_surrogate(experiment, train=shop.splits.train, main=shop.tasks[0])


def test_a_surrogate_knows_the_main_task_and_starts_elsewhere(tiny: Make, tmp_path: Path) -> None:
    experiment = tiny(tmp_path)
    shop = open_workshop(experiment, RunFiles(experiment.run))
    surrogate = made(experiment)
    assert list(surrogate.heads) == ["digit"]
    assert not surrogate.training
    own, theirs = (next(model.encoder.parameters()) for model in (surrogate, shop.model))
    assert own.shape == theirs.shape
    assert not torch.equal(own, theirs)
    assert list(tmp_path.iterdir()) == []


def test_a_surrogate_learns(tiny: Make, tmp_path: Path) -> None:
    training = replace(tiny(tmp_path).training, epochs=6, batch_size=50, optimizer=Adam(1e-2))
    experiment = tiny(tmp_path, training=training, data=Data("digits", train_examples=300))
    test = open_workshop(experiment, RunFiles(experiment.run)).splits.test.fetch(torch.arange(200))
    surrogate = made(experiment)
    with torch.no_grad():
        answer = surrogate(test["image"].float() / 255)["digit"].argmax(1)
    assert float((answer == test["label"]).float().mean()) > 0.5


def test_the_seed_decides_the_surrogate(tiny: Make, tmp_path: Path) -> None:
    first, again, other = (next(made(tiny(tmp_path, seed=seed)).parameters()) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("plan", "steps"), [((2, 20), 4), ((900, 20), 200), ((3, 7), 18)])
def test_a_surrogate_takes_no_more_steps_than_it_may(
    tiny: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: tuple[int, int], steps: int
) -> None:
    taken = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self, *given: taken.append(1) or step(self, *given))
    training = replace(tiny(tmp_path).training, epochs=plan[0], batch_size=plan[1])
    made(tiny(tmp_path, training=training))
    assert len(taken) == steps <= STEPS
