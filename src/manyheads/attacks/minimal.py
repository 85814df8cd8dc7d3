"""Attacks that look for the smallest perturbation that wins: Carlini & Wagner's in L2."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from manyheads.attacks.attack import Attack, Best, Loss
from manyheads.attacks.derivative import Watch, differentiate
from manyheads.randomness import Streams
from manyheads.threats import L2, Budget, column
from manyheads.types import Image, PerExample

_PROGRESS = 0.9999
"""An example goes on while its loss falls below this share of what it was at the last look."""

_LOOKS = 10
"""How often during a descent its progress is looked at."""

_EDGE = 1e-6
"""How far black and white are kept from the ends of tanh, which lie at infinity."""


@dataclass(frozen=True)
class CW(Attack):
    """Carlini & Wagner's attack: the smallest L2 perturbation that wins, by descent in tanh space.

    Minimises `‖image − clean‖² + constant · max(confidence − margin, 0)` with Adam and searches the constant by
    bisection, both per example: an example stops when it stops improving, whatever the others do. Nothing is drawn.

    Returned is the winner of smallest L2 distance among all iterates inside the budget (give `L2(float("inf"))` for no
    limit); the clean image itself where it wins already. Where no such winner was found, it is the iterate of highest
    margin, projected into the budget; the clean image where that has a higher margin. Distances shorter than one of
    Adam's first steps are found less exactly: lower the rate and the first constant for them.

    Args:
        steps: how many Adam steps for each constant.
        learning_rate: Adam's, in tanh space.
        binary_search_steps: how many constants are tried for each example.
        initial_const: the first constant; it grows tenfold until an example wins.
        confidence: the margin that a winner must have, in units of the scores.

    Raises:
        ValueError: if a number of steps, the rate or the constant is not above zero, or the confidence is below zero.

    Reference: Carlini & Wagner, S&P 2017, section VI-A. Differs from it in: early abort per example, not per batch.
    """

    steps: int = 1000
    learning_rate: float = 0.01
    binary_search_steps: int = 5
    initial_const: float = 1.0
    confidence: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings under which nothing could be found."""
        for name in ("steps", "learning_rate", "binary_search_steps", "initial_const"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is a number above zero, got {getattr(self, name)}")
        if not 0 <= self.confidence < math.inf:
            raise ValueError(f"confidence is a margin of zero or above, got {self.confidence}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (nothing is drawn)
        """Search for those whose clean image does not win.

        Raises:
            ValueError: if the threat model does not say when the attacker has won, or a margin is not finite.
        """
        with torch.no_grad():
            margin = loss.margin(clean)
        watch = Watch()
        watch.see(margin)
        watch.verdict()
        rows = (margin <= 0).nonzero()[:, 0]
        attacked = clean.clone()
        if len(rows):
            attacked[rows] = self._smallest(loss.select(rows), clean[rows], budget=budget, margin=margin[rows])
        return attacked

    def _smallest(self, loss: Loss, clean: Image, *, budget: Budget, margin: PerExample) -> Image:
        """Find the smallest winners, one descent for each constant; `margin` is that of the clean images."""
        nearest, highest, watch = Best.nothing(clean), Best.nothing(clean), Watch()
        constant, low = torch.full_like(margin, self.initial_const), torch.zeros_like(margin)
        high = torch.full_like(margin, torch.inf)
        for _ in range(self.binary_search_steps):
            found = torch.zeros_like(margin, dtype=torch.bool)
            for point, reached in self._descend(_Point.first(loss, clean, constant), watch=watch):
                won = (reached > 0) & (reached >= self.confidence)
                inside = won & budget.contains(point.image, point.clean)
                found[point.rows] |= won
                nearest.offer(point.image, torch.where(inside, -point.distance, -torch.inf), rows=point.rows)
                highest.offer(point.image, reached, rows=point.rows)
            high, low = torch.where(found, constant, high), torch.where(found, low, constant)
            constant = torch.where(high.isinf(), 10 * constant, (low + high) / 2)
        watch.verdict()
        best = Best(clean, margin)
        projected = budget.project(highest.image, clean)
        with torch.no_grad():
            best.offer(projected, loss.margin(projected))
        return torch.where(column(nearest.loss.isinf()), best.image, nearest.image)

    def _descend(self, point: "_Point", *, watch: Watch) -> Iterator[tuple["_Point", PerExample]]:
        """Descend with one constant per example; yield every point on the way and its margin, the last included."""
        look = max(self.steps // _LOOKS, 1)
        cost = torch.full_like(point.constant, torch.inf)
        for step in range(self.steps):
            margin, gradient = differentiate(point.loss.margin, point.image)
            watch.see(margin, gradient)
            yield point, margin
            short = (self.confidence - margin).clamp_min(0)
            pull = torch.where(short > 0, point.constant, 0)
            reached = point.distance.square() + point.constant * short
            point = point.move(2 * (point.image - point.clean) - column(pull) * gradient, rate=self.learning_rate)
            if step % look == 0:
                going = (reached < _PROGRESS * cost).nonzero()[:, 0]
                cost = reached[going]
                point = point.select(going)
                if not len(going):
                    return
        with torch.no_grad():
            margin = point.loss.margin(point.image)
        watch.see(margin)
        yield point, margin


@dataclass(frozen=True, eq=False)
class _Point:
    """Where the examples that still descend are: `image = (tanh(position) + 1) / 2`, with Adam's two moments."""

    loss: Loss
    rows: Tensor
    clean: Image
    constant: PerExample
    position: Image
    mean: Image
    square: Image
    moves: int = 0

    @staticmethod
    def first(loss: Loss, clean: Image, constant: PerExample) -> "_Point":
        """Start at the clean images."""
        position = ((2 * clean - 1) * (1 - _EDGE)).atanh()
        rest = torch.zeros_like(position)
        return _Point(loss, torch.arange(len(clean), device=clean.device), clean, constant, position, rest, rest)

    @cached_property
    def image(self) -> Image:
        return (self.position.tanh() + 1) / 2

    @cached_property
    def distance(self) -> PerExample:
        return L2(math.inf).size(self.image - self.clean)

    def select(self, going: Tensor) -> "_Point":
        """Drop the examples that are done."""
        if len(going) == len(self.rows):
            return self
        kept = {
            name: getattr(self, name)[going] for name in ("rows", "clean", "constant", "position", "mean", "square")
        }
        return replace(self, loss=self.loss.select(going), **kept)

    def move(self, gradient: Image, *, rate: float) -> "_Point":
        """Take one of Adam's steps down, given the gradient with respect to the image."""
        slope = gradient * 2 * self.image * (1 - self.image)
        moves = self.moves + 1
        mean = 0.9 * self.mean + 0.1 * slope
        square = 0.999 * self.square + 0.001 * slope.square()
        step = (mean / (1 - 0.9**moves)) / ((square / (1 - 0.999**moves)).sqrt() + 1e-8)
        return replace(self, position=self.position - rate * step, mean=mean, square=square, moves=moves)
