"""Wilson's interval, against SciPy's and where it is known by heart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from manyheads.evaluation import wilson

COUNTS = st.integers(1, 5000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@given(counts=COUNTS)
def test_the_interval_is_scipys(counts: tuple[int, int]) -> None:
    successes, trials = counts
    expected = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(successes, trials=trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(counts=COUNTS, confidence=st.floats(0.5, 0.999))
def test_another_quantile_is_another_confidence(counts: tuple[int, int], confidence: float) -> None:
    successes, trials = counts
    expected = binomtest(successes, trials).proportion_ci(confidence_level=confidence, method="wilson")
    found = wilson(successes, trials=trials, z=float(norm.ppf((1 + confidence) / 2)))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(counts=COUNTS)
def test_the_interval_holds_the_share_and_stays_inside_zero_to_one(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson(successes, trials=trials)
    assert 0 <= low <= successes / trials <= high <= 1


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_shares_of_nothing_or_beyond_all_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"successes must be 0 to trials and trials above zero, got {successes} of"):
        wilson(successes, trials=trials)
