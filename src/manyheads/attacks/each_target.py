"""One attack aimed at the likeliest wrong classes, one after another."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int64
from torch import Tensor

from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.raising import opened
from manyheads.attacks.worst import WorstOf
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import Aim, Budget, ClassLead, Objective, TargetedDLR
from manyheads.threats.threat import Score
from manyheads.types import Image, Outputs, PerExample, Truth


@dataclass(frozen=True)
class EachTarget(Attack):
    """An attack aimed at each of the likeliest wrong classes in turn, on the examples that are not won yet.

    How likely a class is, the clean image's scores say. Aimed at a class, an attack raises `objective` for it, and a
    minimal attack goes to its boundary; but whoever the threat model says has won has won, in whichever class.

    Args:
        attack: the attack.
        task: the classification task whose classes are aimed at.
        count: how many classes, at most; all wrong ones if there are no more.
        objective: makes what is raised, from the task and the aim.

    Raises:
        ValueError: if no class is aimed at.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), sections 5 and 6 (nine classes).
    """

    attack: Attack
    task: Task
    count: int = 9
    objective: Callable[[Task, Aim], Objective] = TargetedDLR

    def __post_init__(self) -> None:
        """Refuse to aim at nothing."""
        if self.count < 1 or self.task.channels < 2:
            raise ValueError(
                f"there is a wrong class to aim at, got count={self.count} for task {self.task.name!r} with "
                f"{self.task.channels} classes"
            )

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Aim at one class after another.

        Raises:
            TypeError: if the loss is not `manyheads.threats.Loss`.
        """
        ranks = range(min(self.count, self.task.channels - 1))
        aimed = tuple(_AtRank(self.attack, self.task, self.objective, rank) for rank in ranks)
        return WorstOf(aimed).search(loss, clean, budget=budget, rng=rng)


@dataclass(frozen=True)
class _AtRank(Attack):
    """The attack, aimed at each example's wrong class of one rank."""

    attack: Attack
    task: Task
    objective: Callable[[Task, Aim], Objective]
    rank: int

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        known, name = opened(loss), self.task.name
        with torch.no_grad():
            scores = known.outputs(clean)[name]
        wrong = scores.scatter(1, known.truth[name].clamp_min(0)[:, None], -torch.inf)
        known = known.noting({_key(self.task): wrong.argsort(dim=1, descending=True, stable=True)[:, self.rank]})
        success = known.success
        if success is not None:
            success = _Through(success, _Recorded(ClassLead, self.task))
        aimed = replace(known, objective=_Recorded(self.objective, self.task), success=success)
        return self.attack.search(aimed, clean, budget=budget, rng=rng)


def _key(task: Task) -> str:
    """Where the aimed-at classes stand among the truths; no task has a blank in its name."""
    return f"aim at {task.name}"


@dataclass(frozen=True)
class _Given:
    """An aim at classes that were chosen before."""

    classes: Int64[Tensor, " batch"]

    def __call__(self, label: Int64[Tensor, " batch"], *, classes: int) -> Int64[Tensor, " batch"]:  # noqa: ARG002
        return self.classes


@dataclass(frozen=True)
class _Recorded(Objective):
    """A targeted objective whose classes stand among the truths, so that they are selected with the examples."""

    objective: Callable[[Task, Aim], Objective]
    task: Task

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        return self.objective(self.task, _Given(truth[_key(self.task)]))(outputs, truth)


@dataclass(frozen=True)
class _Through(Objective):
    """A success that is sought through one of its boundaries, and has come about wherever it has."""

    whole: Score
    part: Objective

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        return self.whole(outputs, truth)

    @property
    def success(self) -> Objective:
        return self

    @property
    def parts(self) -> tuple[Objective, ...]:
        return (self.part,)
