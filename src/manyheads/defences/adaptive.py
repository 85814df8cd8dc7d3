"""Objectives of attackers who know the hidden heads and the rejection rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from manyheads.defences.rejector import Rejector
from manyheads.tasks import UNKNOWN_CLASS, Relation, Task, named
from manyheads.threats import Constrained, Margin, Objective, Standing, Targeted, TargetLead, all_met, lead
from manyheads.types import Outputs, PerExample, Truth


@dataclass(frozen=True)
class Evasive(Constrained):
    """Reach the goal while the rejector stays silent: above zero exactly when the guard passes a wrong answer on.

    For every wrong class the main head must lead with it and the rejector's conditions for it must hold; the class
    that is nearest to all of that counts. A tie, between classes or between hidden answers, is not yet a success. An
    example whose class is unknown counts as 0: nobody wins it.

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
        return self._nearest(self.reached(outputs), truth=truth)[0]

    def reached(self, outputs: Outputs) -> Float[Tensor, "batch classes"]:
        """Return how nearly each example gets each class through, be it wrong or not."""
        answered = _leads(outputs[self.rejector.main])[:, :, None]
        return all_met(torch.cat([answered, self.rejector.conditions(outputs, self.threshold)], dim=2))

    def standing(self, outputs: Outputs, truth: Truth) -> Standing:
        """Return the nearest class's lead, what is missing for the rejector to stay silent on it, and the worth."""
        worth, nearest = self._nearest(self.reached(outputs), truth=truth)
        return standing_of(self, outputs, wanted=nearest, worth=worth)

    def _nearest(self, reached: Float[Tensor, "batch classes"], *, truth: Truth) -> tuple[Tensor, Tensor]:
        """Pick the class that counts, and how nearly it is reached."""
        label = truth[self.rejector.main]
        seen, given = label != UNKNOWN_CLASS, label.clamp_min(0)
        if isinstance(self.goal, Margin):
            best = reached.scatter(1, given[:, None], float("-inf")).max(1)
            return best.values.where(seen, 0), best.indices
        target = self.goal.aim(given, classes=reached.shape[1])
        return reached.gather(1, target[:, None])[:, 0].where(seen, 0), target

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


def standing_of(evasion: Evasive, outputs: Outputs, *, wanted: Int64[Tensor, " batch"], worth: PerExample) -> Standing:
    """Return the lead of a class, what is missing for the rejector to stay silent on it, and the given worth."""
    lead_of = _leads(outputs[evasion.rejector.main]).gather(1, wanted[:, None])[:, 0]
    conditions = evasion.rejector.conditions(outputs, evasion.threshold)
    chosen = wanted[:, None, None].expand(-1, 1, conditions.shape[2])
    return Standing(lead_of, conditions.gather(1, chosen)[:, 0].clamp_max(0).sum(1), worth)


def _leads(scores: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
    """Each class's score minus the highest other one."""
    top = scores.topk(2, dim=1).values
    first = scores == top[:, :1]
    return scores - torch.where(first, top[:, 1:], top[:, :1])
