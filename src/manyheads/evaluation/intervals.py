"""Confidence intervals."""

from math import sqrt


def wilson(successes: int, *, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """95 % confidence interval of a proportion (another z, another confidence).

    Args:
        successes: how many times it happened.
        trials: how many times it could have.
        z: the normal quantile of the confidence.

    Raises:
        ValueError: if there were no trials, or more successes than trials.

    Reference: Wilson, JASA 1927, without continuity correction.

    >>> low, high = wilson(8, trials=10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"successes must be 0 to trials and trials above zero, got {successes} of {trials}")
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))  # rounding may cross the share
