"""Schedules, against their closed forms."""

from math import cos, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyheads.training import Constant, Cosine, OneCycle, Schedule, StepDecay

DONE = st.floats(0, 1)


@given(done=DONE)
def test_constant_is_one(done: float) -> None:
    assert Constant().factor(done * 7, epochs=7) == 1.0


@pytest.mark.parametrize(
    ("epoch", "factor"), [(0.0, 1.0), (49.99, 1.0), (50.0, 0.1), (99.0, 0.1), (100.0, 0.01), (199.5, 0.001)]
)
def test_step_decay_is_a_tenth_every_fifty_epochs(epoch: float, factor: float) -> None:
    assert StepDecay().factor(epoch, epochs=200) == pytest.approx(factor, rel=1e-12)


def test_step_decay_divides_by_what_it_is_told_as_often_as_it_is_told() -> None:
    assert [StepDecay(every=2, by=4.0).factor(epoch, epochs=9) for epoch in (0.0, 1.9, 2.0, 5.0, 6.0)] == [
        1,
        1,
        1 / 4,
        1 / 16,
        1 / 64,
    ]


@given(done=DONE)
def test_cosine_is_half_a_wave_from_one_to_zero(done: float) -> None:
    assert Cosine().factor(done * 20, epochs=20) == pytest.approx((1 + cos(pi * done)) / 2, abs=1e-12)


def test_cosine_begins_at_one_is_a_half_in_the_middle_and_ends_at_zero() -> None:
    assert [Cosine().factor(epoch, epochs=10) for epoch in (0.0, 5.0, 10.0, 11.0)] == pytest.approx([1, 0.5, 0, 0])


@given(done=DONE, rise=st.floats(0.05, 0.95))
def test_one_cycle_is_a_triangle(done: float, rise: float) -> None:
    factor = OneCycle(rise).factor(done * 12, epochs=12)
    assert factor == pytest.approx(min(done / rise, (1 - done) / (1 - rise)), abs=1e-3 / rise)


def test_one_cycle_begins_just_above_zero_peaks_at_its_rise_and_ends_at_zero() -> None:
    cycle = OneCycle(0.25)
    assert 0 < cycle.factor(0.0, epochs=8) < 0.005
    assert cycle.factor(2.0, epochs=8) == pytest.approx(1)
    assert cycle.factor(8.0, epochs=8) == cycle.factor(9.0, epochs=8) == 0


@pytest.mark.parametrize("schedule", [Constant(), StepDecay(3), Cosine(), OneCycle()])
@given(done=DONE)
def test_a_factor_is_never_negative_nor_above_one(schedule: Schedule, done: float) -> None:
    assert 0 <= schedule.factor(done * 9, epochs=9) <= 1 + 1e-12


@pytest.mark.parametrize(("every", "by"), [(0, 10.0), (-1, 10.0), (5, 0.0), (5, -2.0), (5, float("nan"))])
def test_a_decay_without_end_or_by_nothing_is_refused(every: int, by: float) -> None:
    with pytest.raises(ValueError, match="divide every 1 or more epochs by a number above zero, got StepDecay"):
        StepDecay(every, by)


@pytest.mark.parametrize("rise", [0.0, 1.0, -0.5, 1.5, float("nan")])
def test_a_triangle_without_a_top_is_refused(rise: float) -> None:
    with pytest.raises(ValueError, match=r"rise is the share of training before the top, in \(0, 1\)"):
        OneCycle(rise)
