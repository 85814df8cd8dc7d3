"""Objectives of attackers who know the hidden heads and the rejection rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.defences.rejector import Rejector
from manyheads.tasks import Relation, Task, named
from manyheads.threats import Margin, Objective, Targeted, TargetLead, lead
from manyheads.types import Outputs, PerExample, Truth


def all_met(conditions: Float[Tensor, "*axes conditions"]) -> Float[Tensor, "*axes"]:
    """Return one number that is above zero exactly when all conditions are.

    Where some are not met, it is their sum, so that a gradient step works on all of them at once; where all are met,
    it is the smallest.
    """
    unmet = conditions.clamp_max(0).sum(-1)
    return torch.where(unmet < 0, unmet, conditions.amin(-1))


@dataclass(frozen=True)
class Evasive(Objective):
    """Reach the goal while the rejector stays silent: above zero exactly when the guard passes a wrong answer on.

    For every wrong class the main head must lead with it and the rejector's conditions for it must hold; the class
    that is nearest to all of that counts. A tie, between classes or between hidden answers, is not yet a success.

    Args:
        goal: `Margin` for any wrong class, `Targeted` for the class it aims at.
        rejector: the rule of the attacked guard.
        threshold: the attacked guard's threshold.

    Raises:
        ValueError: if the goal is on another head than the one that is guarded.

    Reference: the principle is Carlini & Wagner's (AISec 2017) and Tramèr et al.'s (NeurIPS 2020), attack the
    detector with the classifier; the form is this project's own.
    """

    goal: Margin | Targeted | TargetLead
    rejector: Rejector
    threshold: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a goal on another head than the one that is guarded."""
        if named(self.goal.task) != self.rejector.main:
            raise ValueError(
                f"the goal is on task {named(self.goal.task)!r} but the guard protects {self.rejector.main!r}; "
                "aim at the guarded task"
            )

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return how nearly each example gets a wrong answer through."""
        scores = outputs[self.rejector.main]
        answered = _leads(scores)[:, :, None]
        reached = all_met(torch.cat([answered, self.rejector.conditions(outputs, self.threshold)], dim=2))
        label = truth[self.rejector.main][:, None]
        if isinstance(self.goal, Margin):
            return reached.scatter(1, label, float("-inf")).amax(1)
        return reached.gather(1, self.goal.aim(label[:, 0], classes=scores.shape[1])[:, None])[:, 0]

    @property
    def success(self) -> Objective:
        """Itself."""
        return self


@dataclass(frozen=True)
class AllWrong(Objective):
    """Every listed head misclassifies: above zero exactly then.

    Args:
        tasks: classification tasks.

    Raises:
        ValueError: if there is no task.
    """

    tasks: Sequence[Task]

    def __post_init__(self) -> None:
        """Refuse an empty goal, which would be met by the clean image."""
        if not self.tasks:
            raise ValueError("all of no heads is nothing to attack; give at least one task")

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Combine the margins of all heads."""
        margins = [lead(outputs[task.name], other_than=truth[task.name]) for task in self.tasks]
        return all_met(torch.stack(margins, dim=1))

    @property
    def success(self) -> Objective:
        """Itself."""
        return self


@dataclass(frozen=True)
class Coherent(Objective):
    """Log-probability that every head answers in keeping with the wanted class of the main one.

    Args:
        goal: the targeted objective on the main head.
        hidden: each hidden task's relation to the main classes, by task name.
    """

    goal: Targeted
    hidden: Mapping[str, Relation]

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Add up the log-probabilities of the main class and of all hidden answers compatible with it."""
        label = truth[named(self.goal.task)]
        wanted = self.goal.aim(label, classes=outputs[named(self.goal.task)].shape[1])
        total = self.goal(outputs, truth)
        for name, relation in self.hidden.items():
            blocked = ~relation.compatible.to(wanted.device)[wanted]
            total = total + outputs[name].log_softmax(1).masked_fill(blocked, float("-inf")).logsumexp(1)
        return total

    @property
    def success(self) -> Objective:
        """The wanted class leads on the main head."""
        return self.goal.success


def _leads(scores: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
    """Each class's score minus the highest other one."""
    top = scores.topk(2, dim=1).values
    first = scores == top[:, :1]
    return scores - torch.where(first, top[:, 1:], top[:, :1])
