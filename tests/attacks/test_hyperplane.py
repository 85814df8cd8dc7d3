"""The nearest point of a hyperplane inside [0, 1]: against a solver, and where there is none."""

import pytest
import scipy.optimize
import torch

from manyheads.attacks.hyperplane import to_hyperplane
from manyheads.threats import L1, L2, Budget, Linf

every_budget = pytest.mark.parametrize("budget", [Linf(1.0), L2(1.0), L1(1.0)], ids=lambda one: type(one).__name__)


def drawn(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Images with some black and white pixels, and slopes with a zero among them."""
    generator = torch.Generator().manual_seed(3)
    point = (1.6 * torch.rand(count, 1, 2, 4, generator=generator) - 0.3).clamp(0, 1)
    slope = torch.randn(count, 1, 2, 4, generator=generator)
    slope[:, 0, 0, 0] = 0
    return point.double(), slope.double()


def solved(point: torch.Tensor, gap: float, slope: torch.Tensor, *, budget: Budget) -> float:
    """The least size by a linear programme (L∞, L1), or by sequential quadratic programming (L2)."""
    low, high, steep = (-point).flatten().numpy(), (1 - point).flatten().numpy(), slope.flatten().numpy()
    bounds = list(zip(low, high, strict=True))
    match budget:
        case Linf():
            sides = [[*row, -1.0] for sign in (1, -1) for row in (sign * torch.eye(8)).tolist()]
            found = scipy.optimize.linprog(
                [0.0] * 8 + [1.0], sides, [0.0] * 16, [[*steep, 0.0]], [-gap], [*bounds, (0, None)]
            )
            return found.fun
        case L1():
            halves = [(0, up) for up in high] + [(0, -down) for down in low]
            return scipy.optimize.linprog([1.0] * 16, None, None, [[*steep, *-steep]], [-gap], halves).fun
        case _:
            plane = {"type": "eq", "fun": lambda change: change @ steep + gap}
            return (
                scipy.optimize.minimize(
                    lambda change: change @ change, 0 * steep, bounds=bounds, constraints=[plane], tol=1e-14
                ).fun
                ** 0.5
            )


@every_budget
@pytest.mark.parametrize("gap", [-0.5, 0.6])
def test_the_change_closes_the_gap_and_none_smaller_does(budget: Budget, gap: float) -> None:
    point, slope = drawn()
    change = to_hyperplane(point, gap=torch.full((6,), gap, dtype=torch.float64), slope=slope, budget=budget)
    left = gap + (slope * change).flatten(1).sum(1)
    torch.testing.assert_close(left, torch.zeros(6).double(), atol=1e-9, rtol=0)
    moved = point + change
    assert float(moved.min()) >= -1e-12
    assert float(moved.max()) <= 1 + 1e-12
    best = [solved(one, gap, steep, budget=budget) for one, steep in zip(point, slope, strict=True)]
    assert budget.size(change).tolist() == pytest.approx(best, rel=1e-4)


@every_budget
def test_where_no_image_closes_the_gap_the_least_of_it_is_left(budget: Budget) -> None:
    point, slope = drawn()
    change = to_hyperplane(point, gap=torch.full((6,), -1e6).double(), slope=slope, budget=budget)
    corner = torch.where(slope > 0, 1.0, torch.where(slope < 0, 0.0, point))
    torch.testing.assert_close(point + change, corner)


@every_budget
def test_no_slope_gives_no_change(budget: Budget) -> None:
    point, slope = drawn()
    change = to_hyperplane(point, gap=torch.ones(6).double(), slope=0 * slope, budget=budget)
    assert torch.equal(change, torch.zeros_like(point))


def test_another_norm_is_refused() -> None:
    point, slope = drawn()
    with pytest.raises(NotImplementedError, match="known in L∞, L2 and L1, not in Odd"):
        to_hyperplane(point, gap=torch.ones(6).double(), slope=slope, budget=Odd(1.0))


class Odd(Budget):
    """A budget of no norm that is known."""

    size = shrink = steepest = noise = slack = around = lambda *_, **__: None
