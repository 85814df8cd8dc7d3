"""Paired comparisons, against values by hand, scipy, and resampling written out."""

from math import comb

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from manyheads.evaluation import Duel, duel, paired_interval, wilson


def by_hand(more: int, less: int) -> float:
    """Probability of at least so many heads of so many fair coins."""
    tosses = more + less
    return sum(comb(tosses, heads) for heads in range(more, tosses + 1)) / 2**tosses


def test_a_duel_counts_both_sides_and_all() -> None:
    assert duel(torch.tensor([1.0, 0.0, -1.0, 1.0, 0.0])) == Duel(more=2, less=1, n=5)


@given(more=st.integers(0, 30), less=st.integers(0, 30))
def test_the_exact_test_is_a_toss_of_coins(more: int, less: int) -> None:
    split = Duel(more=more, less=less, n=60)
    assert split.p_more == pytest.approx(by_hand(more, less))
    assert split.p_value == pytest.approx(min(1.0, 2 * by_hand(max(more, less), min(more, less))))


def test_equal_results_prove_nothing() -> None:
    assert (Duel(more=0, less=0, n=9).p_value, Duel(more=0, less=0, n=9).p_more) == (1.0, 1.0)


def test_an_interval_of_one_seed_is_the_usual_bootstrap() -> None:
    values = torch.tensor([1.0] * 30 + [-1.0] * 12 + [0.0] * 58)
    low, high = paired_interval(values[None], draws=20_000)
    theirs = bootstrap(
        (values.numpy(),), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(0)
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.0101)  # a hundredth is one example
    assert low < 0.18 < high


def test_an_interval_over_seeds_is_that_of_resampling_written_out() -> None:
    generator = np.random.default_rng(1)
    values = generator.integers(-1, 2, (3, 40)).astype(float) + np.array([[0.0], [1.0], [-1.0]])
    draws = [values[generator.integers(0, 3, 3)][:, generator.integers(0, 40, 40)].mean() for _ in range(10_000)]
    found = paired_interval(torch.from_numpy(values), draws=10_000)
    assert found == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.04)


def test_seeds_that_disagree_widen_the_interval() -> None:
    agreeing = torch.tensor([[1.0, 0.0, 1.0, 0.0] * 25] * 2)
    disagreeing = torch.stack([torch.ones(100), torch.zeros(100)])
    narrow, wide = (paired_interval(one) for one in (agreeing, disagreeing))
    assert wide == (0.0, 1.0)
    assert 0.35 < narrow[0] < 0.5 < narrow[1] < 0.65


def test_a_wider_confidence_gives_a_wider_interval() -> None:
    values = torch.tensor([[1.0, 0.0, -1.0, 1.0] * 20])
    (low, high), (lower, higher) = (paired_interval(values, confidence=share) for share in (0.5, 0.99))
    assert lower < low < high < higher


def test_the_seed_decides_the_draws() -> None:
    values = torch.tensor([[1.0, 0.0, -1.0, 0.5, 0.25] * 7])
    first, again, other = (paired_interval(values, draws=50, seed=seed) for seed in (4, 4, 5))
    assert first == again != other


def test_no_difference_is_not_proof_of_none() -> None:
    low, high = paired_interval(torch.zeros(2, 50))
    assert (low, high) == (-wilson(0, trials=50)[1], wilson(0, trials=50)[1])


@pytest.mark.parametrize(
    ("shape", "options"), [((0, 3), {}), ((2, 0), {}), ((1, 2), {"draws": 0}), ((1, 2), {"confidence": 1.0})]
)
def test_an_interval_of_nothing_is_refused(shape: tuple[int, int], options: dict) -> None:
    with pytest.raises(ValueError, match="an interval needs at least one seed, example and draw"):
        paired_interval(torch.zeros(shape), **options)
