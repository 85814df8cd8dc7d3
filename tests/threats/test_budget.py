"""Budgets against brute force: nearest allowed images, steepest directions, uniform noise."""

import math

import hypothesis
import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import strategies as st

from manyheads.deferral import DELIVERIES, Fetched, deferred
from manyheads.threats import L1, L2, ROUNDING, Budget, Linf

NORMS = {Linf: math.inf, L2: 2.0, L1: 1.0}
INFINITE = float("inf")
every_norm = pytest.mark.parametrize("norm", [Linf, L2, L1])


def draw(seed: int, *, batch: int = 3, shape: tuple[int, ...] = (1, 1, 4), low: float = 0.0, high: float = 1.0):
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(batch, *shape, generator=generator, dtype=torch.float64)


def nearest_by_optimiser(image: np.ndarray, clean: np.ndarray, budget: Budget) -> np.ndarray:
    """Solve min ‖nearest − image‖² over ball and box: each pixel's change is split in an upward and a downward part."""
    size = {
        Linf: lambda parts: budget.eps - parts,
        L2: lambda parts: np.array([budget.eps**2 - ((parts[: len(clean)] - parts[len(clean) :]) ** 2).sum()]),
        L1: lambda parts: np.array([budget.eps - parts.sum()]),
    }[type(budget)]
    found = scipy.optimize.minimize(
        lambda parts: ((clean + parts[: len(clean)] - parts[len(clean) :] - image) ** 2).sum(),
        x0=np.zeros(2 * len(clean)),
        bounds=[*((0.0, 1 - pixel) for pixel in clean), *((0.0, pixel) for pixel in clean)],
        constraints={"type": "ineq", "fun": size},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    return clean + found.x[: len(clean)] - found.x[len(clean) :]


@every_norm
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("eps", [0.05, 0.4, 0.9])
def test_the_projection_is_the_nearest_image_in_ball_and_box(norm: type[Budget], seed: int, eps: float) -> None:
    budget, clean = norm(eps), draw(seed).round(decimals=1)
    image = clean + draw(seed + 100, low=-1.5, high=1.5)
    projected = budget.project(image, clean)
    pairs = zip(image.flatten(1).numpy(), clean.flatten(1).numpy(), strict=True)
    expected = np.stack([nearest_by_optimiser(one, centre, budget) for one, centre in pairs])
    np.testing.assert_allclose(projected.flatten(1).numpy(), expected, atol=2e-4)
    distance = (projected - image).flatten(1).norm(dim=1).numpy()
    assert (distance <= np.linalg.norm(expected - image.flatten(1).numpy(), axis=1) + 1e-7).all()


def test_a_projection_does_not_go_in_a_circle() -> None:
    change = torch.tensor([0.5108, 0.6212, -0.7827, 1.0853], dtype=torch.float64).view(1, 1, 2, 2)
    room = torch.tensor([0.2634, 0.8379, 0.8739, 0.5353], dtype=torch.float64).view(1, 1, 2, 2)
    projected = L1(1.5).shrink(change, low=-room, high=room)
    assert float(L1(1.5).size(projected)) == pytest.approx(1.5)


@every_norm
def test_without_a_box_the_projection_is_the_balls(norm: type[Budget]) -> None:
    perturbation = draw(3, batch=5, shape=(2, 3, 3), low=-2.0, high=2.0)
    expected = {
        Linf: perturbation.clamp(-0.7, 0.7),
        L2: 0.7 * perturbation / perturbation.flatten(1).norm(dim=1)[:, None, None, None],
        L1: torch.stack([soft_threshold(one, size=0.7) for one in perturbation]),
    }[norm]
    torch.testing.assert_close(norm(0.7).shrink(perturbation), expected)


def soft_threshold(perturbation: torch.Tensor, *, size: float) -> torch.Tensor:
    """Lower all magnitudes by what makes them add up to `size`, found by root finding."""
    magnitude = perturbation.abs()
    lower = scipy.optimize.brentq(
        lambda lower: float((magnitude - lower).clamp_min(0).sum()) - size, 0.0, float(magnitude.max()), xtol=1e-14
    )
    return (magnitude - lower).clamp_min(0) * perturbation.sign()


def test_a_projection_by_hand() -> None:
    clean = torch.tensor([0.9, 0.5, 0.5]).view(1, 1, 1, 3)
    image = torch.tensor([1.4, 0.9, 0.6]).view(1, 1, 1, 3)
    # Lowered by 0.15, the changes 0.5, 0.4, 0.1 become 0.1 (its bound), 0.25, 0: together 0.35.
    expected = torch.tensor([1.0, 0.75, 0.5]).view(1, 1, 1, 3)
    torch.testing.assert_close(L1(0.35).project(image, clean), expected)
    # Scaled by 0.75, they become 0.1 (its bound), 0.3, 0.075: of squared length 0.105625.
    expected = torch.tensor([1.0, 0.8, 0.575]).view(1, 1, 1, 3)
    torch.testing.assert_close(L2(0.105625**0.5).project(image, clean), expected)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    norm=st.sampled_from([Linf, L2, L1]),
    eps=st.floats(0, 1),
    scale=st.sampled_from([0.0, 1e-6, 0.1, 3.0, 1e4]),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_what_is_projected_is_inside_and_stays(*, norm, eps, scale, shape, seed, dtype) -> None:
    budget, clean = norm(eps), (1.6 * draw(seed, shape=shape) - 0.3).clamp(0, 1).to(dtype)
    image = clean + scale * draw(seed + 1, shape=shape, low=-1.0).to(dtype)
    once = budget.project(image, clean)
    assert once.dtype == dtype
    assert bool(budget.contains(once, clean).all())
    assert float(once.min()) >= 0
    assert float(once.max()) <= 1
    torch.testing.assert_close(budget.project(once, clean), once, atol=1e-6, rtol=0)


@every_norm
@pytest.mark.parametrize("eps", [0.3, INFINITE])
def test_what_is_inside_is_left_alone(norm: type[Budget], eps: float) -> None:
    clean = draw(5, low=0.4, high=0.6).float()
    image = clean + 0.05 * draw(6, low=-1.0).float()
    torch.testing.assert_close(norm(eps).project(image, clean), image, atol=1e-7, rtol=0)


@every_norm
def test_a_large_image_is_projected_exactly(norm: type[Budget]) -> None:
    clean, image = draw(7, shape=(3, 64, 64)).float(), draw(8, shape=(3, 64, 64), low=-5.0, high=5.0).float()
    budget = norm(0.01)
    inside = budget.project(image, clean)
    exact = budget.project(image.double(), clean.double())
    torch.testing.assert_close(inside.double(), exact, atol=1e-6, rtol=0)
    assert float(budget.size(exact - clean.double()).max()) <= 0.01 + 1e-9


@every_norm
@pytest.mark.parametrize("eps", [0.05, 2.0, 20.0])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_projection_that_may_not_ask_is_as_exact(
    norm: type[Budget], eps: float, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = norm(min(eps, 1.0) if norm is Linf else eps)
    clean = draw(13, batch=20, shape=(3, 16, 16)).pow(8).float()  # most pixels are close to a bound
    image = clean + scale * draw(14, batch=20, shape=(3, 16, 16), low=-1.0).pow(5).float()
    asked = budget.project(image, clean)
    monkeypatch.setitem(DELIVERIES, "cpu", Fetched)
    with deferred():
        torch.testing.assert_close(budget.project(image, clean), asked, atol=1e-7, rtol=0)


@pytest.mark.parametrize("norm", [L2, L1])
def test_a_projection_that_was_cut_short_is_inside_all_the_same(
    norm: type[Budget], monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = draw(15, batch=20, shape=(3, 16, 16)).pow(8).float()
    image = clean + 100 * draw(16, batch=20, shape=(3, 16, 16), low=-1.0).pow(5).float()
    exact = norm(20.0).project(image, clean)
    monkeypatch.setattr("manyheads.threats.norms._ROUNDS_UNASKED", 2)
    monkeypatch.setitem(DELIVERIES, "cpu", Fetched)
    with deferred():
        near = norm(20.0).project(image, clean)
    assert not torch.allclose(near, exact, atol=1e-4)
    assert bool(norm(20.0).contains(near, clean).all())


@every_norm
def test_an_example_is_projected_as_if_alone(norm: type[Budget]) -> None:
    clean, image = draw(9, shape=(3, 5, 5)).float(), draw(10, shape=(3, 5, 5), low=-2.0, high=3.0).float()
    together = norm(0.5).project(image, clean)
    alone = [norm(0.5).project(image[row : row + 1], clean[row : row + 1]) for row in range(3)]
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-7, rtol=0)


@every_norm
def test_contains_measures_the_norm(norm: type[Budget]) -> None:
    clean = draw(11, batch=2, shape=(3, 4, 4), low=0.4, high=0.6)
    change = draw(12, batch=2, shape=(3, 4, 4), low=-0.1, high=0.1)
    sizes = torch.linalg.vector_norm(change.flatten(1), NORMS[norm], dim=1)
    torch.testing.assert_close(norm(0.0).size(change), sizes)
    middle = float(sizes.mean())
    assert norm(middle).contains(clean + change, clean).tolist() == (sizes < middle).tolist()
    assert int((sizes < middle).sum()) == 1


@every_norm
@pytest.mark.parametrize("value", [1.001, -0.001, math.nan, math.inf])
def test_contains_refuses_what_is_no_image(norm: type[Budget], value: float) -> None:
    clean = torch.full((2, 1, 2, 2), 0.5)
    image = clean.clone()
    image[1, 0, 0, 0] = value
    assert norm(INFINITE).contains(image, clean).tolist() == [True, False]


@every_norm
def test_contains_allows_rounding_and_not_more(norm: type[Budget]) -> None:
    clean = torch.full((1, 3, 8, 8), 0.5)
    step = 0.2 / {Linf: 1.0, L2: 192**0.5, L1: 192}[norm]
    assert bool(norm(0.2).contains(clean + step, clean))
    assert not bool(norm(0.2).contains(clean + step * 1.001, clean))
    assert ROUNDING == 1e-6


@every_norm
@pytest.mark.parametrize("eps", [-0.1, math.nan])
def test_a_size_is_not_negative(norm: type[Budget], eps: float) -> None:
    with pytest.raises(ValueError, match="eps is a size and cannot be negative"):
        norm(eps)


def test_an_eps_in_0_to_255_units_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got 8\.0; write 8/255, not 8"):
        Linf(8.0)
