"""Square: a search that asks for outputs alone and needs no gradient."""

import math
from dataclasses import dataclass

import torch

from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.derivative import Watch
from manyheads.attacks.patches import patches
from manyheads.attacks.raising import answered
from manyheads.randomness import Streams
from manyheads.threats import Budget, column
from manyheads.types import Flags, Image, PerExample

_HALVINGS = (0.001, 0.005, 0.02, 0.1, 0.2, 0.4, 0.6, 0.8)
"""After which shares of the queries the area of the patches is halved."""


@dataclass(frozen=True)
class Square(Attack):
    """Square attack: random square patches at the border of the budget, each kept where it raises the loss.

    In L∞ a patch sets every channel to plus or minus eps; in L2 and L1 it moves a bump, with what budget it needs, from
    one place to another. An example that wins is done; where nobody says who has won, all queries are spent. The last
    image kept comes back. No gradient is asked for, so that hiding gradients does not help; raise `Margin` (by
    `Raising` or `RaisingSuccess`), since a saturated loss shows no rise.

    Args:
        queries: how many images the model is asked about, the first included.
        area: the share of the image that the first patches cover.

    Raises:
        ValueError: if nothing is asked or the area is no share.

    Reference: Andriushchenko et al., ECCV 2020, algorithms 1 to 3; in L1 Croce & Hein, ICML 2021. Differs from them
    in: patches shrink at the same shares of the queries, however many there are.
    """

    queries: int = 5000
    area: float = 0.8

    def __post_init__(self) -> None:
        """Refuse to ask nothing."""
        if self.queries < 1:
            raise ValueError(f"the model is asked at least once, got queries={self.queries}")
        if not 0 < self.area <= 1:
            raise ValueError(f"area is a share of the image, above zero and at most one, got {self.area}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Try patches on what is not won.

        Raises:
            ValueError: if the budget has no limit, or a loss is not finite.
        """
        if budget.eps == math.inf:
            raise ValueError("patches lie at the border of the budget, which has none here; give a finite eps")
        drawn, watch = patches(budget), Watch()
        found = image = budget.project(drawn.first(clean, budget=budget, rng=rng.fork("first")), clean)
        with torch.no_grad():
            value, won = _ask(loss, image)
            left = torch.arange(len(clean), device=clean.device)
            watch.see(value)
            for query in range(1, self.queries):
                if won.any():
                    found = found.index_copy(0, left, image)
                    kept = ~won
                    left, loss, clean, rng = left[kept], loss.select(kept), clean[kept], rng.select(kept)
                    image, value = image[kept], value[kept]
                if not len(left):
                    break
                side = self._side(query, clean)
                tried = drawn.next(image, clean=clean, budget=budget, rng=rng.fork(query), side=side)
                tried = budget.project(tried, clean)
                reached, won = _ask(loss, tried)
                watch.see(reached)
                better = won | (reached > value)
                image, value = torch.where(column(better), tried, image), torch.where(better, reached, value)
        watch.verdict()
        return found.index_copy(0, left, image)

    def _side(self, query: int, clean: Image) -> int:
        """Side of the patches that this query draws, in pixels; it is as long as the image allows at most."""
        height, width = clean.shape[2:]
        halvings = sum(query > share * self.queries for share in _HALVINGS)
        side = round(math.sqrt(self.area / 2**halvings * height * width))
        return min(max(side, 1), height, width)


def _ask(loss: Loss, image: Image) -> tuple[PerExample, Flags]:
    """Return what each image is worth and whether it wins."""
    answer = answered(loss, image)
    won = answer.won(image) if loss.knows_success else torch.zeros(len(image), dtype=torch.bool, device=image.device)
    return answer(image), won
