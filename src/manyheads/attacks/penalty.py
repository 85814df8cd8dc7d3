"""Attacks under a condition: a penalty whose weight is searched for each example."""

import math
from dataclasses import dataclass

import torch

from manyheads.attacks.ascent import ascend
from manyheads.attacks.attack import Attack, Best, Loss
from manyheads.attacks.termed import TermedLoss, termed
from manyheads.randomness import Streams
from manyheads.threats import Budget
from manyheads.types import Flags, Image, PerExample


@dataclass(frozen=True)
class PenaltySearch(Attack):
    """Climb `goal + weight * unmet` again and again, with a weight per example that is found by bisection.

    For objectives that are `Constrained`: their terms are a `goal`, what is `unmet` of the condition (zero or below)
    and the `worth` of an image. An example whose climb ends with the condition kept goes on with a lower weight, one
    whose climb ends with it broken with a higher one; each climb starts where the last one ended. The image of highest
    worth among all iterates is returned. Examples that have won are left alone, where somebody says what winning is.

    Args:
        steps: how many steps each climb takes.
        step_size: length of each step in the budget's norm, in pixel units.
        rounds: how many weights are tried.
        first: the first weight; it grows tenfold until the condition is kept.
        random_start: begin at a point drawn uniformly from the budget instead of the clean image.

    Raises:
        ValueError: if there is no round or no step, or a size or weight is not above zero.

    Reference: the search is Carlini & Wagner's, S&P 2017, section V-C, over the condition's weight.
    """

    steps: int = 40
    step_size: float = 0.01
    rounds: int = 5
    first: float = 1.0
    random_start: bool = True

    def __post_init__(self) -> None:
        """Refuse settings under which nothing could be found."""
        for name in ("steps", "step_size", "rounds", "first"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is a number above zero, got {getattr(self, name)}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Climb once for each weight.

        Raises:
            ValueError: if the objective is not made of `goal`, `unmet` and `worth`, or one of them is not finite.
        """
        given = termed(loss)
        image = budget.project(clean + budget.noise(clean, rng), clean) if self.random_start else clean.clone()
        best = Best.nothing(clean)
        weight = clean.new_full((len(clean),), self.first)
        low, high = torch.zeros_like(weight), torch.full_like(weight, torch.inf)
        rows = torch.arange(len(clean), device=clean.device)
        for _ in range(self.rounds):
            climb = _Climb(given.select(rows), weight[rows], Best.nothing(clean[rows]))
            image[rows] = ascend(
                climb,
                image[rows],
                clean=clean[rows],
                budget=budget,
                steps=self.steps,
                step_size=self.step_size,
                heading=lambda gradient: gradient,
            )
            best.offer(climb.best.image, climb.best.loss, rows=rows)
            kept = torch.zeros_like(weight, dtype=torch.bool)
            kept[rows] = climb.kept(image[rows])
            high, low = torch.where(kept, weight, high), torch.where(kept, low, weight)
            weight = torch.where(high.isinf(), 10 * weight, (low + high) / 2)
            if loss.knows_success:
                rows = rows[~given.select(rows).won(best.image[rows])]
            if not len(rows):
                break
        return best.image


@dataclass(frozen=True, eq=False)
class _Climb:
    """The penalised goal; on the way it keeps the image of highest worth."""

    loss: TermedLoss
    weight: PerExample
    best: Best

    def __call__(self, image: Image) -> PerExample:
        terms = self.loss.terms(image)
        if not {"goal", "unmet", "worth"} <= set(terms):
            raise ValueError(
                f"a penalty needs an objective with a goal and a condition, got one of {', '.join(terms)}; "
                "give the threat model a Constrained objective, such as Stealthy or Evasive"
            )
        self.best.offer(image.detach(), terms["worth"].detach())
        return terms["goal"] + self.weight * terms["unmet"]

    def kept(self, image: Image) -> Flags:
        with torch.no_grad():
            return self.loss.terms(image)["unmet"] >= 0
