"""Adversarial training on mixed perturbations: one made per task, then mixed."""

from collections.abc import Sequence

from manyheads.attacks import Attack, MixedPerturbations
from manyheads.tasks import Task
from manyheads.threats import Budget
from manyheads.training.steps import Adversarial


def mixed(tasks: Sequence[Task], *, attack: Attack, budget: Budget, lowest: float = 0.5) -> Adversarial:
    """Make the step that trains every task on images in which the perturbations of all tasks are mixed.

    Each task is attacked alone; the first task's perturbation has a share drawn uniformly from `[lowest, 1)`, the
    others share the rest. With M tasks a step costs M attacks.

    Args:
        tasks: the tasks to train and to attack, main task first.
        attack: makes each task's perturbation.
        budget: which images it may choose.
        lowest: the smallest share of the main task's perturbation.

    Reference: the code that follows Hyun & Park, IEEE Access 2024. Differs from it in: shares are drawn per example.
    """
    weights = dict.fromkeys((task.name for task in tasks), 1.0)
    return Adversarial(tasks, weights, MixedPerturbations(attack, lowest), budget)
