"""Attackers: from what one wants and knows to a threat model against a trained guard."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

from torch import nn

from manyheads.attacks import BIM, MIM, PGD, Attack, Fast, Noise, Restarts, UnscaledMIM
from manyheads.defences import AllWrong, Coherent, EvasionLikelihood, Evasive, Guard, adaptive_ensemble
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.materials import relations
from manyheads.experiments.trial import Blind, Knowledge, Trial
from manyheads.tasks import Task
from manyheads.threats import Margin, Objective, Targeted, TaskLoss, ThreatModel

AIMED = 9
"""How many wrong classes an adaptive attacker aims at, the nearest first."""


def threat(
    trial: Trial,
    *,
    knowledge: Knowledge | Blind,
    guard: Guard,
    tasks: Sequence[Task],
    surrogate: nn.Module | None = None,
) -> ThreatModel:
    """Make the threat model of one trial for an attacker who knows so much.

    - `noise` looks at no model;
    - `transfer` attacks the main head of a model of their own;
    - `gray-box` knows the main head only and attacks it;
    - `white-box` knows all heads and attacks them together, not the rule that ties them;
    - `adaptive` knows all heads and the rule, and wants a wrong answer that passes the guard.

    Args:
        trial: what the attacker wants and may change.
        knowledge: what the attacker knows.
        guard: the victim.
        tasks: the victim's tasks, main task first.
        surrogate: the attacker's own model, for a transfer attack.

    Raises:
        ValueError: if a transfer attack has no model of its own.
    """
    makers = {"noise": _gray, "transfer": _gray, "gray-box": _gray, "white-box": _white, "adaptive": _adaptive}
    objective = makers[knowledge](trial, guard, tasks)
    model = surrogate if knowledge == "transfer" else guard.model
    if model is None:
        raise ValueError("a transfer attack needs a model of the attacker's own; give it as surrogate=...")
    return ThreatModel(name=knowledge, model=model, tasks=tasks, objective=objective, budget=trial.budget)


def attack(trial: Trial, *, knowledge: Knowledge | Blind, guard: Guard, tasks: Sequence[Task]) -> Attack:
    """Make the search of one trial for an attacker who knows so much; of one who looks at no model, one draw.

    The adaptive attacker is the worst of many, those who know less among them: no evaluation shows it weaker than the
    gray-box attacker.

    Args:
        trial: what the attacker wants and may change.
        knowledge: what the attacker knows.
        guard: the victim.
        tasks: the victim's tasks, main task first.
    """
    if knowledge == "noise":
        return Noise()
    once = Fast(trial.attack) if trial.search == "fast" else trial.attack
    search = Restarts(once, times=trial.restarts) if trial.restarts > 1 else once
    if knowledge != "adaptive":
        return search
    lesser = tuple(make(trial, guard, tasks) for make in (_gray, _white))
    return adaptive_ensemble(_evasion(trial, guard, tasks), search, lesser=(*lesser, Margin(tasks[0])), classes=AIMED)


@dataclass(frozen=True)
class Assault:
    """One trial by one attacker: what is kept in one file of facts.

    Args:
        name: of the trial.
        trial: what the attacker wants and may change.
        knowledge: what the attacker knows.
    """

    name: str
    trial: Trial
    knowledge: Knowledge | Blind

    @property
    def eps(self) -> float:
        """Size of the budget."""
        return float(self.trial.budget.eps)


def assaults(experiment: Experiment) -> tuple[Assault, ...]:
    """List what a trained model is put through: every trial by every attacker, then the curve over eps.

    Without hidden heads all heads are the main head, so that the white-box attacker is left out; it is not run over
    the curve either. Attackers who do not know the model run the trials of limited size that have no target.

    Raises:
        ValueError: if there is nothing.
    """
    listed = [
        Assault(name, trial, knowledge)
        for name, trial in experiment.trials.items()
        for knowledge in dict.fromkeys(trial.knowledge)
        if experiment.hidden or knowledge != "white-box"
    ]
    listed += [
        Assault(name, trial, knowledge)
        for name, trial in experiment.trials.items()
        for knowledge in dict.fromkeys(experiment.blind)
        if isfinite(trial.budget.eps) and trial.goal != "targeted"
    ]
    for eps in experiment.sweep:
        trial = _resized(experiment.trials[experiment.sweep_trial], eps=eps, examples=experiment.sweep_examples)
        listed += [
            Assault(experiment.sweep_trial, trial, knowledge)
            for knowledge in ("gray-box", "adaptive")
            if knowledge in trial.knowledge
        ]
    if not listed:
        raise ValueError(f"nothing would attack {experiment.name!r}; give the experiment a trial with an attacker")
    return tuple(listed)


def _resized(trial: Trial, *, eps: float, examples: int | None) -> Trial:
    """Give a trial another eps, and steps that grow with it."""
    search = trial.attack
    if isinstance(search, PGD | BIM | MIM | UnscaledMIM):
        search = replace(search, step_size=search.step_size * max(eps / trial.budget.eps, 1e-6))
    return replace(trial, attack=search, budget=replace(trial.budget, eps=eps), examples=examples or trial.examples)


def _gray(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Objective:  # noqa: ARG001 (all makers look alike)
    goals = {"untargeted": TaskLoss(tasks, {tasks[0].name: 1.0}), "targeted": Targeted(tasks[0])}
    return goals.get(trial.goal, Margin(tasks[0]))


def _white(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Objective:  # noqa: ARG001 (all makers look alike)
    if trial.goal == "targeted":
        return Coherent(Targeted(tasks[0]), relations(tasks))
    return AllWrong(tasks) if trial.goal == "margin" else TaskLoss(tasks, {task.name: 1.0 for task in tasks})


def _adaptive(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Objective:
    evasion = _evasion(trial, guard, tasks)
    return EvasionLikelihood(evasion) if trial.goal == "untargeted" else evasion


def _evasion(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Evasive:
    goal = Targeted(tasks[0]) if trial.goal == "targeted" else Margin(tasks[0])
    return Evasive(goal, guard.rejector, guard.threshold)
