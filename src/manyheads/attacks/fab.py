"""FAB: the smallest perturbation that wins, in L∞, L2 and L1, by projections on the linearised boundary."""

from dataclasses import dataclass, replace

import torch

from manyheads.attacks.attack import Attack, Best, Loss
from manyheads.attacks.derivative import Watch
from manyheads.attacks.faces import nearest_face
from manyheads.attacks.hyperplane import to_hyperplane
from manyheads.randomness import Streams
from manyheads.threats import Budget, column
from manyheads.types import Image, PerExample

_MOST_HOME = 0.1
"""The largest share that the way back to the clean image has in a step."""

_BEYOND = 1.05
"""How far a step goes, as a multiple of the way to the boundary."""

_BACK = 0.9
"""What is left of a winner's perturbation after it."""

_LAST_LOOKS = 3
"""How often the boundary is sought between the clean image and the smallest winner at the end."""

_OFF_THE_ENDS = 0.01
"""How far from either end of that stretch a guess stays, as a share of it."""


@dataclass(frozen=True)
class FAB(Attack):
    """Fast adaptive boundary attack: the smallest perturbation that wins, in the budget's own norm.

    Every step goes to the nearest of the linearised boundaries, biased towards the clean image, and a little beyond;
    from a winner it goes back towards the clean image. Boundaries are those of the success's `parts`: of a `Margin`
    on a task each wrong class's lead (as many backward passes in a step; `EachTarget` takes them one by one), of any
    other success the success itself.

    Returned is the smallest winner inside the budget; the clean image itself where it wins already. Where no such
    winner was found, it is the smallest winner at all, projected into the budget; the clean image where that has a
    higher margin.

    Args:
        steps: how many steps.
        random_start: begin at a point drawn uniformly from half the budget, not at the clean image; for restarts.

    Raises:
        ValueError: if there is no step.

    Reference: Croce & Hein, ICML 2020 (FAB), algorithm 1. Differs from it in: random starts take half the budget, not
    half the smallest winner so far; the final search's guesses keep off the ends of the stretch, so that rounding does
    not end it.
    """

    steps: int = 100
    random_start: bool = False

    def __post_init__(self) -> None:
        """Refuse to take no step."""
        if self.steps < 1:
            raise ValueError(f"an attack takes at least one step, got steps={self.steps}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Search for those whose clean image does not win.

        Raises:
            ValueError: if the threat model does not say when the attacker has won, a margin is not finite, or a random
                start is wanted in a budget without a limit.
        """
        with torch.no_grad():
            margin = loss.margin(clean)
        rows = (~(margin > 0)).nonzero()[:, 0]
        attacked = clean.clone()
        if len(rows):
            part, start = loss.select(rows), clean[rows]
            if self.random_start:
                half = replace(budget, eps=budget.eps / 2)
                start = half.project(start + half.noise(start, rng.select(rows)), start)
            smallest = self._smallest(part, start, clean=clean[rows], budget=budget)
            smallest = _nearer(part, smallest, clean=clean[rows], margin=margin[rows])
            attacked[rows] = _allowed(part, smallest, clean=clean[rows], budget=budget, margin=margin[rows])
        return attacked

    def _smallest(self, loss: Loss, image: Image, *, clean: Image, budget: Budget) -> Image:
        """Return the smallest winners of all steps; the clean image where none won."""
        nearest, watch = Best.nothing(clean), Watch()
        for _ in range(self.steps):
            face = nearest_face(loss, image, budget=budget)
            watch.see(face.gap, face.slope)
            on = to_hyperplane(image, gap=face.gap, slope=face.slope, budget=budget)
            gap = face.seen_from(clean, instead_of=image)
            home = to_hyperplane(clean, gap=gap, slope=face.slope, budget=budget)
            here, there = budget.size(on), budget.size(home)
            share = column((here / (here + there)).nan_to_num(0).clamp_max(_MOST_HOME))
            ahead = (1 - share) * (image + _BEYOND * on) + share * (clean + _BEYOND * home)
            image = ahead.clamp(0, 1)
            won = loss.won(image)
            nearest.offer(image, torch.where(won, -budget.size(image - clean), -torch.inf))
            image = torch.where(column(won), torch.lerp(clean, image, _BACK), image)
        watch.verdict()
        return nearest.image


def _nearer(loss: Loss, winner: Image, *, clean: Image, margin: PerExample) -> Image:
    """Look for winners on the straight line to the clean image, where the margin would be zero if it were linear."""
    low, below = clean, margin
    with torch.no_grad():
        above = loss.margin(winner)
        for _ in range(_LAST_LOOKS):
            share = (-below / (above - below)).nan_to_num(0.5).clamp(_OFF_THE_ENDS, 1 - _OFF_THE_ENDS)
            guess = torch.lerp(low, winner, column(share))
            reached = loss.margin(guess)
            won, lost = column(reached > 0), column(reached <= 0)
            low, below = torch.where(lost, guess, low), torch.where(reached <= 0, reached, below)
            winner, above = torch.where(won, guess, winner), torch.where(reached > 0, reached, above)
    return winner


def _allowed(loss: Loss, image: Image, *, clean: Image, budget: Budget, margin: PerExample) -> Image:
    """Keep winners inside the budget; project the others, and take the clean image where that has a higher margin."""
    inside = budget.contains(image, clean)
    image = torch.where(column(inside), image, budget.project(image, clean))
    best = Best(clean.clone(), margin)
    with torch.no_grad():
        best.offer(image, loss.margin(image))
    return best.image
