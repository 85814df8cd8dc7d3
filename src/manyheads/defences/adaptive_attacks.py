"""The adaptive attacker: every way to get a wrong answer past the guard, and the worst of all for each example."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from manyheads import threats
from manyheads.attacks import BIM, CW, MIM, PGD, Attack, Fast, Loss, PenaltySearch, Restarts, UnscaledMIM
from manyheads.attacks.raising import opened
from manyheads.defences.adaptive import Evasive
from manyheads.defences.evasion_likelihood import EvasionLikelihood
from manyheads.defences.evasive_towards import TOWARDS, EvasiveTowards
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS
from manyheads.threats import Alternating, Budget, Margin, Objective
from manyheads.types import Image, Outputs, PerExample, Truth

_WON, _WRONG = 2, 1
"""Ranks of images: the goal is reached; some other wrong answer is accepted. Zero is anything else."""


@dataclass(frozen=True)
class AdaptiveEnsemble(Attack):
    """The worst of all attacks on a guard, example by example; each sees only those that no earlier one has won.

    In this order: the clean image; the attackers who know less, each with its own objective and success; those who know
    the rule; goal and silence in turns for each wrong class with the hidden answers that go with it, the nearest class
    first; and a penalty for being noticed, its weight searched for each example. Won is an example whose main answer is
    wrong (with a targeted goal: the target) and accepted; among others, an accepted wrong answer outranks the rest.

    Those who know less are given the random numbers that they have on their own, so that what `evaluate` finds for the
    first of them it finds here too: with the same seed and batches, no robust accuracy with reject option is above
    that one's.

    Args:
        evasion: what is attacked: goal, rejection rule, threshold.
        attack: the search that raises each objective.
        lesser: what attackers raise who do not know the rule.
        knowing: what attackers raise who do.
        penalty: the search for a penalty's weight; None for none.
        classes: how many wrong classes are aimed at, the nearest first; None for all. A targeted goal has but one.

    Raises:
        ValueError: if a number of classes is below zero.

    Reference: the principles are Tramèr et al.'s, NeurIPS 2020; the parts name theirs.
    """

    evasion: Evasive
    attack: Attack
    lesser: Sequence[Objective] = ()
    knowing: Sequence[Objective] = ()
    penalty: Attack | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        """Refuse a negative number of classes."""
        if self.classes is not None and self.classes < 0:
            raise ValueError(f"classes counts the wrong classes that are aimed at, got {self.classes}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Run one attack after another on what is left.

        Raises:
            TypeError: if the loss is not `manyheads.threats.Loss`.
        """
        given = opened(loss)
        with torch.no_grad():
            outputs = given.outputs(clean)
        worst = _Worst(clean.clone(), _judged(self.evasion, outputs, given.truth))
        rows = torch.arange(len(clean), device=clean.device)
        for number, member in enumerate(self._members(outputs, given.truth)):
            # The first sees the whole batch, as it would on its own; the others what is left.
            rows = worst.left if number else rows
            if not len(rows):
                break
            part = given.select(rows)
            streams = rng.select(rows) if number < len(self.lesser) else rng.fork(number).select(rows)
            image = member.attack(member.loss(part, rows=rows), clean[rows], budget, rng=streams)
            with torch.no_grad():
                worst.offer(image, _judged(self.evasion, part.outputs(image), part.truth), rows=rows)
        return worst.image

    def _members(self, outputs: Outputs, truth: Truth) -> Iterator["_Member"]:
        """Yield the attacks, in order."""
        for objective in self.lesser:
            yield _Member(self.attack, objective, objective.success)
        for objective in self.knowing:
            yield _Member(self.attack, objective, self.evasion)
        if isinstance(self.evasion.goal, Margin):
            aimed = EvasiveTowards(self.evasion)
            for wanted in self._wrong_classes(self.evasion.reached(outputs), truth=truth):
                yield _Member(self.attack, Alternating(aimed), aimed, towards=wanted)
        if self.penalty is not None:
            yield _Member(self.penalty, self.evasion, self.evasion)

    def _wrong_classes(
        self, reached: Float[Tensor, "batch classes"], *, truth: Truth
    ) -> Sequence[Int64[Tensor, " batch"]]:
        """List each example's wrong classes, the nearest first."""
        label = truth[self.evasion.rejector.main].clamp_min(0)
        count = reached.shape[1] - 1 if self.classes is None else min(self.classes, reached.shape[1] - 1)
        ranked = reached.scatter(1, label[:, None], -torch.inf).argsort(dim=1, descending=True, stable=True)
        return ranked[:, :count].unbind(1)


def adaptive_ensemble(
    evasion: Evasive, attack: Attack, *, lesser: Sequence[Objective] = (), classes: int | None = None
) -> AdaptiveEnsemble:
    """Make the ensemble that goes with an attack: all members that this kind of search has a use for.

    A search with steps brings the penalty search along, with as many steps of the same size for each weight. A minimal
    attack goes by success alone, so that it is aimed once and then at each class.

    Args:
        evasion: what is attacked.
        attack: the search that raises each objective.
        lesser: what attackers raise who do not know the rule; the gray-box attacker's first.
        classes: how many wrong classes are aimed at, the nearest first; None for all.
    """
    *outer, plain = _layers(attack)
    knowing = (EvasionLikelihood(evasion), evasion, Alternating(evasion))
    penalty: Attack | None = None
    if isinstance(plain, CW):
        knowing = (evasion,)
    if isinstance(plain, PGD | BIM | MIM | UnscaledMIM):
        penalty = PenaltySearch(plain.steps, plain.step_size)
        for layer in outer:
            penalty = replace(layer, attack=penalty) if isinstance(layer, Fast) else penalty
    return AdaptiveEnsemble(evasion, attack, lesser=lesser, knowing=knowing, penalty=penalty, classes=classes)


def _layers(attack: Attack) -> Sequence[Attack]:
    """List an attack and what it wraps, the innermost last."""
    layers = [attack]
    while isinstance(wrapper := layers[-1], Restarts | Fast):
        layers.append(wrapper.attack)
    return layers


@dataclass(frozen=True, eq=False)
class _Member:
    """One attack, with what it raises and when it has won."""

    attack: Attack
    objective: Objective
    success: Objective | None
    towards: Int64[Tensor, " batch"] | None = None

    def loss(self, part: threats.Loss, *, rows: Tensor) -> threats.Loss:
        """Return what it sees of the examples that are left."""
        seen = replace(part, objective=self.objective, success=self.success)
        return seen if self.towards is None else seen.noting({TOWARDS: self.towards[rows]})


@dataclass(frozen=True, eq=False)
class _Verdict:
    """How good images are: their rank, and within a rank how nearly they evade."""

    rank: Int64[Tensor, " batch"]
    value: PerExample


def _judged(evasion: Evasive, outputs: Outputs, truth: Truth) -> _Verdict:
    """Judge images as the guard does, which decides ties too."""
    main, rejector = outputs[evasion.rejector.main], evasion.rejector
    answer, label = main.argmax(1), truth[rejector.main]
    passed = (answer != label) & (label != UNKNOWN_CLASS) & (rejector.score(outputs) < evasion.threshold)
    reached = passed
    if not isinstance(evasion.goal, Margin):
        reached = passed & (answer == evasion.goal.aim(label.clamp_min(0), classes=main.shape[1]))
    rank = torch.where(reached, _WON, torch.where(passed, _WRONG, 0))
    return _Verdict(rank, evasion(outputs, truth))


@dataclass(eq=False)
class _Worst:
    """The worst image so far of each example."""

    image: Image
    verdict: _Verdict

    @property
    def left(self) -> Int64[Tensor, " rows"]:
        """The examples that nobody has won."""
        return (self.verdict.rank < _WON).nonzero()[:, 0]

    def offer(self, image: Image, found: _Verdict, *, rows: Tensor) -> None:
        """Keep the images that are worse for the defender than those that are held; one that has won stays."""
        rank, value = self.verdict.rank[rows], self.verdict.value[rows]
        better = (rank < _WON) & ((found.rank > rank) | ((found.rank == rank) & (found.value > value)))
        chosen = rows[better]
        self.image[chosen] = image[better]
        self.verdict.rank[chosen], self.verdict.value[chosen] = found.rank[better], found.value[better]
