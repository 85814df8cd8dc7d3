"""Who attacks what: which heads an attacker's objective looks at, and which attacks a run consists of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from torch import Tensor

from manyheads.attacks import CW, PGD, Fast, Noise, PenaltySearch, Restarts
from manyheads.defences import AdaptiveEnsemble, AllWrong, Coherent, EvasionLikelihood, Evasive, Guard
from manyheads.experiments import Experiment, Outcome, Trial
from manyheads.experiments.attackers import Assault, assaults, attack, threat
from manyheads.experiments.materials import make_model, make_rejector, make_tasks
from manyheads.tasks import Task
from manyheads.threats import L2, Linf, Margin, Targeted, TaskLoss

Make = Callable[..., Experiment]
TRIAL = Trial(PGD(steps=2, step_size=0.1), Linf(0.1))
TRUTH = {"digit": torch.tensor([3, 4]), "parity": torch.tensor([1, 0]), "prime": torch.tensor([1, 0])}


@pytest.fixture(scope="module")
def tasks(tiny: Make) -> tuple[Task, ...]:
    return make_tasks(tiny(Path("runs")), class_names=tuple("0123456789"))


@pytest.fixture(scope="module")
def guard(tiny: Make, tasks: tuple[Task, ...]) -> Guard:
    experiment = tiny(Path("runs"))
    model = make_model(experiment, tasks=tasks, image_shape=(1, 8, 8))
    return Guard(model.eval(), make_rejector(experiment, tasks=tasks))


def outputs(*, parity: float = 0.0, digit: float = 0.0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    found = {name: torch.randn(2, size, generator=generator) for name, size in (("digit", 10), ("parity", 2))}
    found["prime"] = torch.randn(2, 2, generator=generator)
    found["parity"][:, 0] += parity
    found["digit"][:, 7] += digit
    return found


@pytest.mark.parametrize(
    ("knowledge", "goal", "kind"),
    [
        ("gray-box", "untargeted", TaskLoss),
        ("gray-box", "targeted", Targeted),
        ("gray-box", "margin", Margin),
        ("white-box", "untargeted", TaskLoss),
        ("white-box", "targeted", Coherent),
        ("white-box", "margin", AllWrong),
        ("adaptive", "untargeted", EvasionLikelihood),
        ("adaptive", "targeted", Evasive),
        ("adaptive", "margin", Evasive),
    ],
)
def test_an_attacker_raises_what_it_wants_on_the_heads_it_knows(
    guard: Guard, tasks: tuple[Task, ...], knowledge: str, goal: str, kind: type
) -> None:
    made = threat(replace(TRIAL, goal=goal), knowledge=knowledge, guard=guard, tasks=tasks)
    loss = made.objective
    assert type(loss) is kind
    assert (made.name, made.model, made.budget) == (knowledge, guard.model, TRIAL.budget)
    assert not torch.equal(loss(outputs(), TRUTH), loss(outputs(digit=9.0), TRUTH))
    sees_hidden_heads = not torch.equal(loss(outputs(), TRUTH), loss(outputs(parity=9.0), TRUTH))
    assert sees_hidden_heads == (knowledge != "gray-box")
    assert made.objective.success is not None


def test_all_heads_count_alike_for_the_white_box_attacker(guard: Guard, tasks: tuple[Task, ...]) -> None:
    objective = threat(TRIAL, knowledge="white-box", guard=guard, tasks=tasks).objective
    assert isinstance(objective, TaskLoss)
    assert dict(objective.weights) == {"digit": 1.0, "parity": 1.0, "prime": 1.0}


@pytest.mark.parametrize(("goal", "kind"), [("targeted", Targeted), ("margin", Margin)])
def test_the_adaptive_attacker_knows_rule_and_threshold(
    guard: Guard, tasks: tuple[Task, ...], goal: str, kind: type
) -> None:
    lenient = Guard(guard.model, guard.rejector, 2.0)
    objective = threat(replace(TRIAL, goal=goal), knowledge="adaptive", guard=lenient, tasks=tasks).objective
    assert isinstance(objective, Evasive)
    assert (objective.rejector, objective.threshold) == (guard.rejector, 2.0)
    assert isinstance(objective.goal, kind)


@pytest.mark.parametrize("knowledge", ["gray-box", "white-box"])
def test_an_attack_tries_as_often_as_the_trial_says(guard: Guard, tasks: tuple[Task, ...], knowledge: str) -> None:
    assert attack(TRIAL, knowledge=knowledge, guard=guard, tasks=tasks) is TRIAL.attack
    again = attack(replace(TRIAL, restarts=3), knowledge=knowledge, guard=guard, tasks=tasks)
    assert again == Restarts(TRIAL.attack, times=3)


@pytest.mark.parametrize("knowledge", ["gray-box", "white-box"])
def test_a_fast_trial_searches_on_a_copy(guard: Guard, tasks: tuple[Task, ...], knowledge: str) -> None:
    fast = replace(TRIAL, search="fast")
    assert attack(fast, knowledge=knowledge, guard=guard, tasks=tasks) == Fast(TRIAL.attack)
    again = attack(replace(fast, restarts=3), knowledge=knowledge, guard=guard, tasks=tasks)
    assert again == Restarts(Fast(TRIAL.attack), times=3)


def test_the_adaptive_attacker_of_a_fast_trial_begins_with_what_the_gray_box_one_does(
    guard: Guard, tasks: tuple[Task, ...]
) -> None:
    made = attack(replace(TRIAL, search="fast"), knowledge="adaptive", guard=guard, tasks=tasks)
    assert isinstance(made, AdaptiveEnsemble)
    assert made.attack == Fast(TRIAL.attack)
    assert made.penalty == Fast(PenaltySearch(2, 0.1))


def test_who_looks_at_no_model_needs_no_copy(guard: Guard, tasks: tuple[Task, ...]) -> None:
    assert attack(replace(TRIAL, search="fast"), knowledge="noise", guard=guard, tasks=tasks) == Noise()


@pytest.mark.parametrize(("goal", "aim"), [("untargeted", Margin), ("targeted", Targeted), ("margin", Margin)])
def test_the_adaptive_attack_begins_with_what_the_gray_and_the_white_box_attacker_do(
    guard: Guard, tasks: tuple[Task, ...], goal: str, aim: type
) -> None:
    trial = replace(TRIAL, goal=goal, restarts=2)
    made = attack(trial, knowledge="adaptive", guard=guard, tasks=tasks)
    assert isinstance(made, AdaptiveEnsemble)
    assert made.attack == Restarts(TRIAL.attack, times=2)
    assert isinstance(made.evasion.goal, aim)
    known = [
        threat(trial, knowledge=lesser, guard=guard, tasks=tasks).objective for lesser in ("gray-box", "white-box")
    ]
    assert list(made.lesser[:2]) == known


def test_no_run_shows_the_adaptive_attacker_weaker_than_the_gray_box_one(outcome: Outcome) -> None:
    table = outcome.scores.filter(pl.col("score") == "accuracy_with_rejection", pl.col("condition") == "attacked")
    both = table.pivot(on="threat", index=["attack", "eps"], values="value")
    assert len(both) == 3
    assert (both["adaptive"] <= both["gray-box"]).all()


def test_every_trial_is_run_by_every_attacker_and_then_the_curve(tiny: Make) -> None:
    trials = {"pgd": replace(TRIAL, restarts=2, examples=50), "cw": Trial(CW(), Linf(0.3), knowledge=("adaptive",))}
    listed = assaults(tiny(Path("runs"), trials=trials, sweep=(0.05, 0.2), sweep_trial="pgd", sweep_examples=None))
    assert [(one.name, one.knowledge, one.eps) for one in listed] == [
        ("pgd", "gray-box", 0.1),
        ("pgd", "white-box", 0.1),
        ("pgd", "adaptive", 0.1),
        ("cw", "adaptive", 0.3),
        ("pgd", "gray-box", 0.05),
        ("pgd", "adaptive", 0.05),
        ("pgd", "gray-box", 0.2),
        ("pgd", "adaptive", 0.2),
    ]
    assert listed[0].trial == trials["pgd"]
    assert listed[-1].trial == replace(trials["pgd"], budget=Linf(0.2), attack=PGD(steps=2, step_size=0.2))


def test_who_knows_nothing_runs_the_trials_of_limited_size_without_a_target(tiny: Make) -> None:
    trials = {
        "pgd": replace(TRIAL, knowledge=("gray-box",)),
        "aimed": replace(TRIAL, goal="targeted", knowledge=()),
        "cw": Trial(CW(), L2(float("inf")), knowledge=()),
    }
    listed = assaults(tiny(Path("runs"), trials=trials, blind=("noise", "transfer"), sweep=(0.05,), sweep_trial="pgd"))
    assert [(one.name, one.knowledge, one.eps) for one in listed] == [
        ("pgd", "gray-box", 0.1),
        ("pgd", "noise", 0.1),
        ("pgd", "transfer", 0.1),
        ("pgd", "gray-box", 0.05),
    ]


def test_noise_is_one_draw_and_looks_at_the_victim_only_to_be_judged(guard: Guard, tasks: tuple[Task, ...]) -> None:
    assert attack(replace(TRIAL, restarts=3), knowledge="noise", guard=guard, tasks=tasks) == Noise()
    made = threat(TRIAL, knowledge="noise", guard=guard, tasks=tasks)
    assert (made.name, made.model) == ("noise", guard.model)


def test_a_transfer_attack_works_on_a_model_of_its_own(guard: Guard, tasks: tuple[Task, ...]) -> None:
    surrogate = torch.nn.Identity()
    made = threat(TRIAL, knowledge="transfer", guard=guard, tasks=tasks, surrogate=surrogate)
    assert (made.name, made.model) == ("transfer", surrogate)
    assert attack(TRIAL, knowledge="transfer", guard=guard, tasks=tasks) is TRIAL.attack


def test_a_transfer_attack_without_a_model_is_refused(guard: Guard, tasks: tuple[Task, ...]) -> None:
    with pytest.raises(ValueError, match="a transfer attack needs a model of the attacker's own"):
        threat(TRIAL, knowledge="transfer", guard=guard, tasks=tasks)


def test_a_curve_may_have_examples_of_its_own(tiny: Make) -> None:
    listed = assaults(tiny(Path("runs")))
    assert [one.trial.examples for one in listed] == [12, 12, 12, 4, 4, 4, 6, 6]


def test_a_curve_is_run_by_those_who_run_its_trial(tiny: Make) -> None:
    trials = {"pgd": replace(TRIAL, knowledge=("white-box", "adaptive"))}
    listed = assaults(tiny(Path("runs"), trials=trials, sweep=(0.05,), sweep_trial="pgd"))
    assert [(one.knowledge, one.eps) for one in listed] == [("white-box", 0.1), ("adaptive", 0.1), ("adaptive", 0.05)]


def test_without_hidden_heads_nobody_attacks_them(tiny: Make) -> None:
    listed = assaults(tiny(Path("runs"), hidden={}))
    assert {one.knowledge for one in listed} == {"gray-box", "adaptive"}


def test_an_attacker_named_twice_attacks_once(tiny: Make) -> None:
    trials = {"pgd": replace(TRIAL, knowledge=("adaptive", "adaptive"))}
    assert assaults(tiny(Path("runs"), trials=trials, sweep=())) == (Assault("pgd", trials["pgd"], "adaptive"),)


@pytest.mark.parametrize("trials", [{}, {"pgd": replace(TRIAL, knowledge=("white-box",))}])
def test_a_run_without_attackers_is_refused(tiny: Make, trials: dict[str, Trial]) -> None:
    with pytest.raises(ValueError, match="nothing would attack 'tiny'; give the experiment a trial"):
        assaults(tiny(Path("runs"), hidden={}, trials=trials, sweep=()))
