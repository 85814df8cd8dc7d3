"""Paired comparisons: two results on the same examples, by McNemar's exact test and by bootstrap."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from scipy.stats import binomtest
from torch import Tensor

from manyheads.evaluation.intervals import wilson
from manyheads.types import PerExample


@dataclass(frozen=True, kw_only=True)
class Duel:
    """How often each of two results was the better one on the same example.

    Args:
        more: examples on which the first is higher.
        less: examples on which the second is higher.
        n: all examples, those on which they are equal included.
    """

    more: int
    less: int
    n: int

    @property
    def p_value(self) -> float:
        """Chance of a split at least as uneven, either way, if neither is better: McNemar's exact test.

        Reference: McNemar, Psychometrika 1947; exact binomial form.

        >>> round(Duel(more=9, less=1, n=40).p_value, 4)
        0.0215
        """
        return self._test("two-sided")

    @property
    def p_more(self) -> float:
        """Chance that the first is higher on so many, or more, of the unequal examples if it is not better.

        >>> round(Duel(more=9, less=1, n=40).p_more, 4)
        0.0107
        """
        return self._test("greater")

    def _test(self, alternative: str) -> float:
        unequal = self.more + self.less
        return float(binomtest(self.more, unequal, alternative=alternative).pvalue) if unequal else 1.0


def duel(difference: PerExample) -> Duel:
    """Count on which examples a difference of two results is above and below zero.

    Args:
        difference: first result minus second; of yes and no answers, 1, 0 or −1.
    """
    return Duel(more=int((difference > 0).sum()), less=int((difference < 0).sum()), n=len(difference))


def paired_interval(
    difference: Float[Tensor, "seeds examples"], *, draws: int = 2000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of a mean difference of two models, over examples and over training seeds.

    Each draw takes as many examples, with replacement, and as many seeds, crossed: an example keeps its pair, and all
    its seeds. The interval holds the middle of the draws' means. Where no pair differs, resampling sees no spread: the
    interval is then what Wilson's leaves possible of a share of differing pairs of which none was seen.

    Args:
        difference: first model's result minus the second's, for each training seed and example; 1, 0 or −1 for yes and
            no answers.
        draws: how many times.
        confidence: share of the draws that the interval holds.
        seed: decides the draws.

    Raises:
        ValueError: if there is nothing to draw from, no draw, or the confidence is not a share.

    Reference: Efron & Tibshirani 1993, section 13.3 (percentile interval); crossed resampling: Owen, Annals of
    Applied Statistics 2007. With few seeds it is too narrow, as every bootstrap is.
    """
    if not difference.numel() or draws < 1 or not 0 < confidence < 1:
        raise ValueError(
            "an interval needs at least one seed, example and draw, and a confidence between 0 and 1; got differences "
            f"of shape {tuple(difference.shape)}, {draws} draws and confidence {confidence}"
        )
    seeds, count = difference.shape
    if not difference.any():
        widest = wilson(0, trials=count)[1]
        return -widest, widest
    generator = torch.Generator().manual_seed(seed)
    patterns, counts = difference.double().cpu().unique(dim=1, return_counts=True)
    chosen = torch.randint(seeds, (draws, seeds), generator=generator)
    weights = torch.zeros(draws, seeds, dtype=torch.float64)
    weights.scatter_add_(1, chosen, torch.full((draws, seeds), 1 / seeds, dtype=torch.float64))
    means = (weights @ patterns * _redrawn(counts, draws=draws, generator=generator)).sum(1) / count
    tail = (1 - confidence) / 2
    low, high = means.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return low, high


def _redrawn(
    counts: Int64[Tensor, " patterns"], *, draws: int, generator: torch.Generator
) -> Float[Tensor, "draws patterns"]:
    """Draw as many examples anew, with replacement, and count how often each pattern comes: a multinomial draw."""
    waiting = torch.full((draws,), float(counts.sum()), dtype=torch.float64)
    left, columns = int(counts.sum()), []
    for held in counts.tolist():
        share = torch.full_like(waiting, held / left)
        columns.append(torch.binomial(waiting, share, generator=generator))
        waiting = waiting - columns[-1]
        left -= held
    return torch.stack(columns, dim=1)
