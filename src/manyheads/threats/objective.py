"""Objectives: what an attacker raises, one number per example, from the outputs and the truth alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int64
from torch import Tensor

from manyheads.tasks import UNKNOWN_CLASS, CrossEntropy, Task, named
from manyheads.types import Outputs, PerExample, Truth


class Objective(ABC):
    """A function of outputs and truth that an attacker raises.

    `success` is the objective that is above zero exactly when the attacker has won, or None where this objective
    cannot tell; then the threat model must name one.
    """

    @abstractmethod
    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return one number per example; the attacker wants it high."""

    @property
    def success(self) -> "Objective | None":
        """The objective whose sign says who has won."""
        return None

    @property
    def parts(self) -> "tuple[Objective, ...]":
        """Objectives of which this one is the greatest, each as smooth as the model; itself if it is made of none."""
        return (self,)

    def terms(self, outputs: Outputs, truth: Truth) -> Mapping[str, PerExample]:
        """Return the terms it is made of, by name, for attacks that treat them apart; most are one term, themselves."""
        return {"objective": self(outputs, truth)}


@dataclass(frozen=True)
class TaskLoss(Objective):
    """Weighted sum of the tasks' own losses: `sum(weight * loss(output, truth))`.

    One weight is the single-task attack, several the multi-task attack; with a classification task the attacker has
    won when the first weighted task is misclassified. Of a dense task (a class or a number per pixel) nobody says when.
    An example without a target for a task adds nothing to that task's loss.

    Args:
        tasks: the tasks the weights speak of; more do no harm.
        weights: weight of each attacked task's loss, by name.

    Raises:
        ValueError: if a weight names no task, or none is given.
    """

    tasks: Sequence[Task]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        """Refuse weights that speak of no task."""
        known = [task.name for task in self.tasks]
        unknown = [name for name in self.weights if name not in known]
        if unknown:
            raise ValueError(f"weights name {', '.join(unknown)}, which is no task; tasks: {', '.join(known)}")
        if not self.weights:
            raise ValueError(f"give at least one task a weight; tasks: {', '.join(known)}")

    @property
    def attacked(self) -> tuple[Task, ...]:
        """The weighted tasks, in the order of the weights."""
        by_name = {task.name: task for task in self.tasks}
        return tuple(by_name[name] for name in self.weights)

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Add the weighted losses up."""
        terms = list(self.terms(outputs, truth).values())
        return sum(terms[1:], start=terms[0])

    def terms(self, outputs: Outputs, truth: Truth) -> Mapping[str, PerExample]:
        """Return each attacked task's weighted loss, by task name; a weight of one costs no multiplication."""
        losses = {task.name: task.loss(outputs[task.name], truth[task.name]) for task in self.attacked}
        return {name: loss if self.weights[name] == 1 else self.weights[name] * loss for name, loss in losses.items()}

    @property
    def success(self) -> Objective | None:
        """Margin of the first attacked task, where that is a classification task whose loss is raised."""
        first = self.attacked[0]
        return Margin(first) if self.weights[first.name] > 0 and isinstance(first.loss, CrossEntropy) else None


@dataclass(frozen=True)
class Margin(Objective):
    """Highest score of a wrong class minus the true class's score: above zero exactly when misclassified.

    A tie gives zero: the attacker has not won. So does an example whose class is unknown.

    Args:
        task: a classification task, or its name.

    Reference: Carlini & Wagner, S&P 2017, the function f₆ without confidence. Differs from it in: sign.
    """

    task: Task | str

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the margin, in units of the scores."""
        name = named(self.task)
        return lead(outputs[name], other_than=truth[name])

    @property
    def success(self) -> Objective:
        """Itself."""
        return self

    @property
    def parts(self) -> tuple[Objective, ...]:
        """Each wrong class's lead over the true one; itself where the task's name alone is known."""
        if isinstance(self.task, str):
            return (self,)
        return tuple(ClassLead(self.task, NextClass(offset)) for offset in range(1, self.task.channels))


@runtime_checkable
class Aim(Protocol):
    """How a targeted attacker picks the class it wants."""

    def __call__(self, label: Int64[Tensor, " batch"], *, classes: int) -> Int64[Tensor, " batch"]:
        """Return the wanted class of each example."""
        ...


@dataclass(frozen=True)
class NextClass:
    """The class `offset` after the true one, modulo the number of classes.

    Reference: Hyun & Park, IEEE Access 2024, section IV-C (offset 1).
    """

    offset: int = 1

    def __call__(self, label: Int64[Tensor, " batch"], *, classes: int) -> Int64[Tensor, " batch"]:
        """Shift the labels.

        Raises:
            ValueError: if the shift would aim at the true class.
        """
        if self.offset % classes == 0:
            raise ValueError(f"an offset of {self.offset} aims at the true class itself among {classes} classes")
        return (label + self.offset) % classes


@dataclass(frozen=True)
class FixedClass:
    """The same class for every example."""

    target: int

    def __call__(self, label: Int64[Tensor, " batch"], *, classes: int) -> Int64[Tensor, " batch"]:
        """Repeat the class.

        Raises:
            ValueError: if there is no such class.
        """
        if not 0 <= self.target < classes:
            raise ValueError(f"the wanted class must be 0 to {classes - 1}, got {self.target}")
        return label.new_full(label.shape, self.target)


@dataclass(frozen=True)
class Targeted(Objective):
    """Log-probability of a wanted wrong class (minus its cross-entropy); won when that class has the highest score.

    Args:
        task: a classification task, or its name.
        aim: picks the wanted class from the true one.
    """

    task: Task | str
    aim: Aim = field(default_factory=NextClass)

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return log softmax(output)[wanted]."""
        scores = outputs[named(self.task)]
        return -CrossEntropy()(scores, _wanted(self.aim, truth[named(self.task)], classes=scores.shape[1]))

    @property
    def success(self) -> Objective:
        """The wanted class's lead over all others."""
        return TargetLead(self.task, self.aim)


@dataclass(frozen=True)
class TargetLead(Objective):
    """Score of a wanted class minus the highest other score: above zero exactly when the target is reached.

    A tie gives zero: the attacker has not won.
    """

    task: Task | str
    aim: Aim = field(default_factory=NextClass)

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the lead, in units of the scores."""
        scores = outputs[named(self.task)]
        return -lead(scores, other_than=_wanted(self.aim, truth[named(self.task)], classes=scores.shape[1]))

    @property
    def success(self) -> Objective:
        """Itself."""
        return self


@dataclass(frozen=True)
class ClassLead(Objective):
    """Score of a wanted wrong class minus the true class's score; above zero only where the image is misclassified.

    The other classes do not count, so that it is one of the functions of which `Margin` is the greatest.

    Args:
        task: a classification task, or its name.
        aim: picks the wanted class from the true one.
    """

    task: Task | str
    aim: Aim = field(default_factory=NextClass)

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the lead, in units of the scores; 0 where the true class is unknown."""
        scores, label = outputs[named(self.task)], truth[named(self.task)]
        target = _wanted(self.aim, label, classes=scores.shape[1])
        rival, given = (scores.gather(1, chosen.clamp_min(0)[:, None])[:, 0] for chosen in (target, label))
        return (rival - given).where(label != UNKNOWN_CLASS, 0)

    @property
    def success(self) -> Objective:
        """The margin: whoever leads the true class with any wrong one has won."""
        return Margin(self.task)


def _wanted(aim: Aim, label: Int64[Tensor, " batch"], *, classes: int) -> Int64[Tensor, " batch"]:
    """Pick the wanted classes; unknown where the true one is, which an attacker can neither hit nor miss."""
    return aim(label, classes=classes).where(label != UNKNOWN_CLASS, UNKNOWN_CLASS)


def lead(scores: Float[Tensor, "batch classes"], *, other_than: Int64[Tensor, " batch"]) -> PerExample:
    """Highest score of the classes other than the given one, minus the given one's score; 0 where that is unknown."""
    given = other_than.clamp_min(0)[:, None]
    others = scores.scatter(1, given, float("-inf")).amax(1)
    return (others - scores.gather(1, given)[:, 0]).where(other_than != UNKNOWN_CLASS, 0)
