"""Attackers: from what one wants and knows to a threat model against a trained guard."""

from collections.abc import Sequence

from manyheads.attacks import Attack, Restarts
from manyheads.defences import AllWrong, Coherent, Disagreement, Evasive, Guard, SoftDisagreement
from manyheads.experiments.experiment import Knowledge, Trial
from manyheads.tasks import Task
from manyheads.threats import Margin, Objective, Targeted, TaskLoss, ThreatModel


def threat(trial: Trial, *, knowledge: Knowledge, guard: Guard, tasks: Sequence[Task]) -> ThreatModel:
    """Make the threat model of one trial for an attacker who knows so much.

    - `gray-box` knows the main head only and attacks it;
    - `white-box` knows all heads and attacks them together, not the rule that ties them;
    - `adaptive` knows all heads and the rule, and wants a wrong answer that passes the guard.

    Args:
        trial: what the attacker wants and may change.
        knowledge: what the attacker knows.
        guard: the victim.
        tasks: the victim's tasks, main task first.
    """
    makers = {"gray-box": _gray, "white-box": _white, "adaptive": _adaptive}
    objective = makers[knowledge](trial, guard, tasks)
    return ThreatModel(name=knowledge, model=guard.model, tasks=tasks, objective=objective, budget=trial.budget)


def attack(trial: Trial) -> Attack:
    """Make the search of one trial."""
    return Restarts(trial.attack, times=trial.restarts) if trial.restarts > 1 else trial.attack


def known(trial: Trial, *, hidden: int) -> tuple[Knowledge, ...]:
    """List the attackers that differ: without hidden heads all heads are the main head."""
    return tuple(knowledge for knowledge in trial.knowledge if hidden or knowledge != "white-box")


def _gray(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Objective:  # noqa: ARG001 (all makers look alike)
    goals = {"untargeted": TaskLoss(tasks, {tasks[0].name: 1.0}), "targeted": Targeted(tasks[0])}
    return goals.get(trial.goal, Margin(tasks[0]))


def _white(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Objective:
    if trial.goal == "targeted":
        return Coherent(Targeted(tasks[0]), _relations(guard))
    return AllWrong(tasks) if trial.goal == "margin" else TaskLoss(tasks, {task.name: 1.0 for task in tasks})


def _adaptive(trial: Trial, guard: Guard, tasks: Sequence[Task]) -> Objective:
    goal = Targeted(tasks[0]) if trial.goal == "targeted" else Margin(tasks[0])
    return Evasive(goal, guard.rejector, guard.threshold)


def _relations(guard: Guard) -> dict:
    rejector = guard.rejector
    return dict(rejector.hidden) if isinstance(rejector, Disagreement | SoftDisagreement) else {}
