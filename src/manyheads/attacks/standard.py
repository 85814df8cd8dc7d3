"""The ensembles by which robustness is reported: attacks that fail in different ways, the worst of them per example."""

from dataclasses import dataclass

from manyheads.attacks.apgd import APGD
from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.each_target import EachTarget
from manyheads.attacks.fab import FAB
from manyheads.attacks.raising import Raising, RaisingSuccess
from manyheads.attacks.square import Square
from manyheads.attacks.worst import Restarts, WorstOf
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import DLR, Budget, Margin, TaskLoss
from manyheads.types import Image

_TARGETED_DLR, _DLR = 4, 3
"""How many classes the two ratios of score differences need at least."""


def standard_ensemble(
    task: Task, *, steps: int = 100, queries: int = 5000, targets: int = 9, restarts: int = 1
) -> WorstOf:
    """Make the standard ensemble on one head: APGD-CE, targeted APGD-DLR, targeted FAB and Square.

    Each sees only the examples that no earlier one has won (nor the clean image itself), in whichever class. Who has
    won the threat model says; what it raises does not matter. With three classes the DLR is untargeted, with two APGD
    raises the margin instead; then FAB takes the nearest of all boundaries.

    Args:
        task: the attacked classification task.
        steps: of APGD and FAB.
        queries: of Square.
        targets: how many of the likeliest wrong classes the targeted attacks aim at.
        restarts: how often APGD starts; the paper on L1 takes 5 there.

    Raises:
        ValueError: if the task has fewer than two classes, or a number is below one.

    Reference: Croce & Hein, ICML 2020 (reliable evaluation), section 6; Croce & Hein, ICML 2021, for L1.

    >>> from manyheads.tasks import classify
    >>> len(standard_ensemble(classify("digit", classes=10)).attacks)
    5
    """
    climb = APGD(steps) if restarts == 1 else Restarts(APGD(steps), times=restarts)
    members: tuple[Attack, ...]
    if task.channels >= _TARGETED_DLR:
        members = (EachTarget(climb, task, count=targets), EachTarget(FAB(steps), task, count=targets))
    else:
        scale_free = DLR(task) if task.channels == _DLR else Margin(task)
        members = (Raising(climb, scale_free), FAB(steps))
    raising_entropy = Raising(climb, TaskLoss([task], {task.name: 1.0}))
    return WorstOf((_Unchanged(), raising_entropy, *members, Raising(Square(queries), Margin(task))))


@dataclass(frozen=True)
class Ensemble(Attack):
    """The worst of APGD on what the threat model raises, and APGD, FAB and Square on what decides who has won.

    Unlike `standard_ensemble` it asks for no task: it goes for any objective that tells who has won, an adaptive
    attacker's included. Each sees only the examples that no earlier one (nor the clean image itself) has won.

    Args:
        steps: of APGD and FAB.
        queries: of Square.

    Raises:
        ValueError: if a number is below one.
    """

    steps: int = 100
    queries: int = 5000

    def __post_init__(self) -> None:
        """Refuse numbers below one."""
        for part in (APGD, FAB):
            part(self.steps)
        Square(self.queries)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Run one after the other on what is left.

        Raises:
            TypeError: if the loss is not `manyheads.threats.Loss`.
            ValueError: if the threat model does not say when the attacker has won.
        """
        climb = APGD(self.steps)
        query = RaisingSuccess(Square(self.queries))
        members = (_Unchanged(), climb, RaisingSuccess(climb), FAB(self.steps), query)
        return WorstOf(members).search(loss, clean, budget=budget, rng=rng)


@dataclass(frozen=True)
class _Unchanged(Attack):
    """The clean image: first of an ensemble, it keeps the others from examples that are won as they are."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        return clean
