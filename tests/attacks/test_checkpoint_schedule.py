"""Periods of falling length."""

import pytest

from manyheads.attacks.checkpoint_schedule import checkpoints


def test_the_periods_of_a_hundred_steps() -> None:
    assert checkpoints(100) == (22, 41, 57, 70, 80, 87, 93, 99)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 57, 1000])
def test_checkpoints_rise_and_stay_within_the_steps(steps: int) -> None:
    found = checkpoints(steps)
    assert list(found) == sorted(set(found))
    assert found[0] >= 1
    assert found[-1] <= steps
