"""The number of steps for a budget, as the paper counts them."""

import pytest

from manyheads.attacks import MAO_STEP_SIZE, mao_steps


@pytest.mark.parametrize(
    ("levels", "steps"), [(1, 2), (2, 3), (4, 5), (8, 10), (16, 20), (17, 21), (32, 36), (255, 259)]
)
def test_the_papers_budgets_by_hand(levels: int, steps: int) -> None:
    assert mao_steps(levels / 255) == steps


@pytest.mark.parametrize(("levels", "steps"), [(0.5, 1), (2.5, 4), (20.5, 25)])
def test_parts_of_a_step_are_rounded_up(levels: float, steps: int) -> None:
    assert mao_steps(levels / 255) == steps


@pytest.mark.parametrize("levels", range(1, 256))
def test_the_steps_reach_the_edge_of_the_budget_from_anywhere_inside(levels: int) -> None:
    assert mao_steps(levels / 255) * MAO_STEP_SIZE >= levels / 255


@pytest.mark.parametrize("eps", [0.0, -0.1, 4.0, float("nan"), float("inf")])
def test_a_budget_in_other_units_is_refused(eps: float) -> None:
    with pytest.raises(ValueError, match=r"eps is in \[0, 1\] pixel units, above zero, got .*; write 8/255, not 8"):
        mao_steps(eps)
