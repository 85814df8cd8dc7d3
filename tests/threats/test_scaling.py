"""Raw perturbations are scaled down to a budget, never up, and added inside [0, 1]."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from manyheads.threats import L1, L2, Budget, Linf, perturbed, scaled

BUDGETS = [Linf(0.1), L2(0.5), L1(2.0)]
NORMS = {Linf: torch.inf, L2: 2.0, L1: 1.0}


def drawn(seed: int = 0, *, size: float = 1.0) -> Tensor:
    return size * torch.randn(4, 3, 5, 6, generator=torch.Generator().manual_seed(seed))


def sizes(perturbation: Tensor, *, budget: Budget) -> Tensor:
    return torch.linalg.vector_norm(perturbation.flatten(1), NORMS[type(budget)], dim=1)


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_a_large_perturbation_gets_the_budgets_size_and_keeps_its_direction(budget: Budget) -> None:
    raw = drawn()
    found = scaled(raw, budget)
    torch.testing.assert_close(sizes(found, budget=budget), torch.full((4,), budget.eps))
    directions = torch.nn.functional.cosine_similarity(found.flatten(1), raw.flatten(1))
    torch.testing.assert_close(directions, torch.ones(4))


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_a_small_perturbation_is_left_as_it_is(budget: Budget) -> None:
    raw = drawn(size=1e-3)
    assert torch.equal(scaled(raw, budget), raw)


def test_each_perturbation_is_scaled_by_its_own_size() -> None:
    raw = drawn() * torch.tensor([1e-3, 1.0, 10.0, 100.0])[:, None, None, None]
    together = scaled(raw, L2(0.5))
    assert torch.equal(together, torch.cat([scaled(raw[row : row + 1], L2(0.5)) for row in range(4)]))
    assert torch.equal(together[0], raw[0])


@pytest.mark.parametrize("norm", [Linf, L2, L1])
def test_no_budget_leaves_no_perturbation_and_no_limit_all_of_it(norm: type[Budget]) -> None:
    assert torch.equal(scaled(drawn(), norm(0.0)), torch.zeros(4, 3, 5, 6))
    assert torch.equal(scaled(drawn(), norm(float("inf"))), drawn())


@pytest.mark.parametrize("eps", [0.0, 0.1, float("inf")])
@pytest.mark.parametrize("norm", [Linf, L2, L1])
def test_values_and_gradients_are_finite_even_of_zero(norm: type[Budget], eps: float) -> None:
    raw = torch.cat([torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)]).requires_grad_()
    found = scaled(raw, norm(eps))
    found.sum().backward()
    assert torch.equal(found[0], torch.zeros(1, 2, 2))
    assert raw.grad is not None
    assert bool(raw.grad.isfinite().all())


def test_the_gradient_is_that_of_the_formula() -> None:
    raw = drawn()[:2, :1, :2, :2].double().requires_grad_()
    budgets: list[Budget] = [Linf(0.1), L2(0.5)]
    assert all(torch.autograd.gradcheck(lambda value, budget=budget: scaled(value, budget), raw) for budget in budgets)


@settings(max_examples=20)
@given(seed=st.integers(0, 99), size=st.sampled_from([1e-3, 1.0, 1e3]), place=st.sampled_from([0, 1, 2]))
def test_a_perturbed_image_is_always_allowed(seed: int, size: float, place: int) -> None:
    clean = torch.rand(4, 3, 5, 6, generator=torch.Generator().manual_seed(seed))
    image = perturbed(clean, raw=drawn(seed, size=size), budget=BUDGETS[place])
    assert bool(BUDGETS[place].contains(image, clean).all())
    assert 0 <= float(image.min()) <= float(image.max()) <= 1


def test_a_perturbation_is_scaled_before_the_image_is_clamped() -> None:
    clean = torch.tensor([[[[0.0, 0.5, 0.95]]]])
    image = perturbed(clean, raw=torch.tensor([[[[-2.0, 1.0, 2.0]]]]), budget=Linf(0.2))
    torch.testing.assert_close(image, torch.tensor([[[[0.0, 0.6, 1.0]]]]))
