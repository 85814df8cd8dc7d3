"""Training on mixed perturbations: whose images are trained on, and a ramp over them."""

import pytest
import torch
from torch import Tensor

from manyheads.attacks import BIM, PGD, Aggregated, MixedPerturbations
from manyheads.models import MultiTaskModel
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import Linf, TaskLoss, ThreatModel
from manyheads.training import Adversarial, Ramped, mixed
from manyheads.training.steps import mean_losses

Tasks = tuple[Task, ...]
BUDGET = Linf(0.2)


def test_it_trains_on_mixtures_of_all_tasks_perturbations_made_in_eval_mode(
    model: MultiTaskModel, tasks: Tasks, batch: dict[str, Tensor]
) -> None:
    numbered = {**batch, "stream": torch.arange(len(batch["image"]))}
    losses = mixed(tasks, attack=BIM(2, 0.1), budget=BUDGET)(model.eval(), numbered)
    objective = TaskLoss(tasks, {"digit": 1.0, "parity": 1.0})
    loss = ThreatModel(name="", model=model, tasks=tasks, objective=objective, budget=BUDGET).loss(numbered)
    streams = Streams(numbered["stream"]).fork("training attack")
    image = MixedPerturbations(BIM(2, 0.1), 0.5)(loss, batch["image"], BUDGET, rng=streams)
    expected = mean_losses(model, image, batch=batch, tasks=tasks)
    clean = mean_losses(model, batch["image"], batch=batch, tasks=tasks)
    assert list(losses) == ["digit", "parity"]
    for name, value in losses.items():
        assert value.item() == pytest.approx(expected[name].item(), rel=1e-5)
        assert value > clean[name]


def test_the_main_tasks_share_is_what_was_asked_for(tasks: Tasks) -> None:
    step = mixed(tasks, attack=PGD(3, 0.1), budget=BUDGET, lowest=0.8)
    assert step == Adversarial(tasks, {"digit": 1.0, "parity": 1.0}, MixedPerturbations(PGD(3, 0.1), 0.8), BUDGET)


@pytest.mark.parametrize(
    ("attack", "shorter"),
    [
        (MixedPerturbations(PGD(3, 0.1)), MixedPerturbations(PGD(3, 0.05))),
        (Aggregated(torch.sum, 3, 0.1), Aggregated(torch.sum, 3, 0.05)),
    ],
)
def test_a_ramp_shortens_its_steps(tasks: Tasks, attack: MixedPerturbations, shorter: MixedPerturbations) -> None:
    assert Ramped(Adversarial(tasks, {"digit": 1.0}, attack, BUDGET), 1.0).at(0.5).attack == shorter
