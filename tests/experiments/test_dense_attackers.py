from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from manyheads.attacks import FGSM, MIM, PGD, Fast
from manyheads.experiments import DenseExperiment, DenseTrial
from manyheads.experiments.dense_attackers import DenseAssault, dense_assaults, dense_threat
from manyheads.tasks import depth, segment
from manyheads.threats import Houdini, Linf, LostOverlap, PercentOverlap

Make = Callable[..., DenseExperiment]
TASKS = (segment(classes=3), depth())
BUDGET = Linf(4 / 255)


def losses(attacked: str) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """What the attacker raises, and what each task loses, on the same outputs."""
    outputs = {"segmentation": torch.randn(2, 3, 4, 4), "depth": torch.randn(2, 1, 4, 4)}
    truth = {"segmentation": torch.randint(3, (2, 4, 4)), "depth": torch.rand(2, 1, 4, 4) + 1}
    threat = dense_threat(DenseTrial(FGSM(), BUDGET), attacked=attacked, model=nn.Identity(), tasks=TASKS)
    each = {task.name: task.loss(outputs[task.name], truth[task.name]) for task in TASKS}
    return threat.objective(outputs, truth), each


def test_the_single_task_attacker_raises_the_main_loss_alone() -> None:
    raised, each = losses("main")
    assert torch.equal(raised, each["segmentation"])


def test_the_multi_task_attacker_raises_the_sum_of_all_losses() -> None:
    raised, each = losses("all")
    assert torch.allclose(raised, each["segmentation"] + each["depth"])


@pytest.mark.parametrize(("goal", "cost"), [("houdini", LostOverlap()), ("houdini_percent", PercentOverlap())])
def test_houdini_is_raised_on_the_main_task(goal: str, cost: object) -> None:
    trial = DenseTrial(FGSM(), BUDGET, goal=goal)
    threat = dense_threat(trial, attacked="main", model=nn.Identity(), tasks=TASKS)
    assert threat.objective == Houdini(TASKS[0], cost)
    assert threat.name == "single-task"
    assert threat.budget == BUDGET


def test_every_trial_is_run_by_each_of_its_attackers_then_over_eps(tiny_dense: Make) -> None:
    found = [(one.name, one.threat, one.eps) for one in dense_assaults(tiny_dense(Path("runs")))]
    assert found == [
        ("pgd two", "single-task", 4 / 255),
        ("pgd two", "multi-task", 4 / 255),
        ("fgsm", "single-task", 4 / 255),
        ("pgd two", "single-task", 1 / 255),
        ("pgd two", "multi-task", 1 / 255),
    ]


@pytest.mark.parametrize(("attack", "expected"), [(PGD(9, 0.01), PGD(20, 0.01)), (MIM(9, 0.01), MIM(20, 0.01))])
def test_over_eps_steps_keep_their_length_and_grow_in_number(tiny_dense: Make, attack, expected) -> None:
    one = tiny_dense(Path("runs"), sweep=(16 / 255,))
    one = replace(one, trials={**one.trials, "pgd two": DenseTrial(attack, BUDGET, examples=3)})
    *_, last = dense_assaults(one)
    assert last.trial == DenseTrial(expected, Linf(16 / 255), examples=3)


def test_fgsm_over_eps_stays_one_step(tiny_dense: Make) -> None:
    *_, last = dense_assaults(tiny_dense(Path("runs"), sweep_trials=("fgsm",)))
    assert last.trial == DenseTrial(FGSM(), Linf(1 / 255))


@pytest.mark.parametrize(("search", "expected"), [("plain", FGSM()), ("fast", Fast(FGSM()))])
def test_a_trial_says_on_what_its_attack_searches(search: str, expected: object) -> None:
    assault = DenseAssault("fgsm", DenseTrial(FGSM(), BUDGET, search=search), "main")
    assert assault.attack == expected
