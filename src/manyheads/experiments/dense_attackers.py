"""Attackers of dense models: from a trial to a threat model, single-task or multi-task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from manyheads.attacks import BIM, MIM, PGD, Attack, Fast, UnscaledMIM, mao_steps
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_trial import Attacked, DenseTrial
from manyheads.tasks import Task
from manyheads.threats import Houdini, LostOverlap, Objective, PercentOverlap, TaskLoss, ThreatModel
from manyheads.threats.knowledge import MULTI_TASK, SINGLE_TASK

THREATS: Mapping[Attacked, str] = {"main": SINGLE_TASK, "all": MULTI_TASK}
"""What reports call an attacker, by whose losses it raises."""

_COSTS = {"houdini": LostOverlap, "houdini_percent": PercentOverlap}


def attacked_weights(tasks: Sequence[Task], *, attacked: Attacked) -> dict[str, float]:
    """Weights of the losses that an attack raises: the main task's alone, or the plain sum of all."""
    chosen = tasks if attacked == "all" else tasks[:1]
    return dict.fromkeys((task.name for task in chosen), 1.0)


def dense_threat(trial: DenseTrial, *, attacked: Attacked, model: nn.Module, tasks: Sequence[Task]) -> ThreatModel:
    """Make the threat model of one trial.

    Args:
        trial: what the attacker raises and may change.
        attacked: whose losses this attacker raises.
        model: the victim.
        tasks: the victim's tasks, main task first.
    """
    objective: Objective = TaskLoss(tasks, attacked_weights(tasks, attacked=attacked))
    if trial.goal in _COSTS:
        objective = Houdini(tasks[0], _COSTS[trial.goal]())
    return ThreatModel(name=THREATS[attacked], model=model, tasks=tasks, objective=objective, budget=trial.budget)


@dataclass(frozen=True)
class DenseAssault:
    """One trial by one attacker: what is kept in one file of facts.

    Args:
        name: of the trial.
        trial: what the attacker raises and may change.
        attacked: whose losses this attacker raises.
    """

    name: str
    trial: DenseTrial
    attacked: Attacked

    @property
    def threat(self) -> str:
        """What reports call the attacker."""
        return THREATS[self.attacked]

    @property
    def attack(self) -> Attack:
        """The search for images."""
        return Fast(self.trial.attack) if self.trial.search == "fast" else self.trial.attack

    @property
    def eps(self) -> float:
        """Size of the budget."""
        return float(self.trial.budget.eps)


def dense_assaults(experiment: DenseExperiment) -> tuple[DenseAssault, ...]:
    """List what a trained model is put through: every trial by each of its attackers, then the curve over eps."""
    trials = list(experiment.trials.items())
    trials += [
        (name, _resized(experiment.trials[name], eps=eps))
        for name in experiment.sweep_trials
        for eps in experiment.sweep
    ]
    return tuple(DenseAssault(name, trial, attacked) for name, trial in trials for attacked in trial.attackers)


def _resized(trial: DenseTrial, *, eps: float) -> DenseTrial:
    """Give a trial another eps, and as many steps as Mao et al. take there."""
    search = trial.attack
    if isinstance(search, PGD | BIM | MIM | UnscaledMIM):
        search = replace(search, steps=mao_steps(eps))
    return replace(trial, attack=search, budget=replace(trial.budget, eps=eps))
