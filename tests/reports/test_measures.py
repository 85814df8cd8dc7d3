import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyheads.reports.measures import CHANGE, POINTS, RATIO, SHARE, measure_of, percent, quantity, rises, three_digits


@given(st.floats(1e-6, 1 - 1e-6))
def test_what_is_neither_nothing_nor_all_is_not_written_so(share):
    assert 0 < float(percent(share)) < 100
    assert abs(float(percent(share)) - 100 * share) <= 0.0501


@pytest.mark.parametrize(("share", "text"), [(0.0, "0"), (1.0, "100"), (1 - 1e-12, "100"), (1e-12, "0")])
def test_nothing_and_all_are_written_without_decimals(share, text):
    assert percent(share) == text


@given(st.floats(1e-4, 999))
def test_three_digits_are_close_and_no_power_of_ten(number):
    text = three_digits(number)
    assert abs(float(text) - number) <= 0.00501 * number
    assert "e" not in text


def test_papers_numbers_keep_their_decimals():
    assert [SHARE.quote(0.4858), RATIO.quote(1.2), quantity("m").quote(10.8)] == ["48.58", "120.00", "10.8"]
    assert (CHANGE.write(4.26), CHANGE.quote(-16.434)) == ("+4.3", "-16.43")


@pytest.mark.parametrize(
    ("score", "unit"),
    [("miou", "%"), ("relative_error", "%"), ("mean_angle", "°"), ("absolute_error", "m"), ("l1", "m")],
)
def test_every_score_has_its_unit(score, unit):
    assert measure_of(score, unit="m").unit == unit


def test_shares_rise_and_errors_fall():
    assert rises("within_30")
    assert not any(rises(score) for score in ("relative_error", "median_angle", "l1", "rmse"))


def test_points_are_differences_of_shares():
    assert [POINTS.write(share) for share in (0.104, -0.02, 0.0, -0.0001)] == ["+10.4", "-2.0", "0.0", "0.0"]
    assert (POINTS.quote(0.12345), POINTS.unit, POINTS.lowest, POINTS.highest) == ("+12.35", "points", -1.0, 1.0)
