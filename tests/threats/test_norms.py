"""Steepest directions and uniform noise of each norm."""

import math

import pytest
import scipy.stats
import torch

from manyheads.randomness import Streams
from manyheads.threats import L1, L2, Budget, Linf, column

DUAL = {Linf: 1.0, L2: 2.0, L1: math.inf}
every_norm = pytest.mark.parametrize("norm", [Linf, L2, L1])


def noise(budget: Budget, *, count: int = 4000, shape: tuple[int, ...] = (1, 1, 3)) -> torch.Tensor:
    """Perturbations of as many images, one stream each."""
    return budget.noise(torch.zeros(count, *shape), Streams(torch.arange(count))).flatten(1).double()


def gradients(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@every_norm
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e-38, 1e30])
def test_the_steepest_direction_has_size_one_and_the_largest_inner_product(norm: type[Budget], scale: float) -> None:
    gradient = gradients(6, 3, 4, 4) * scale
    direction = norm(1.0).steepest(gradient)
    torch.testing.assert_close(norm(1.0).size(direction), torch.ones(6))
    reached = (direction.double() * gradient.double()).flatten(1).sum(1)
    torch.testing.assert_close(reached, torch.linalg.vector_norm(gradient.double().flatten(1), DUAL[norm], dim=1))


@every_norm
def test_no_direction_in_the_ball_climbs_faster(norm: type[Budget]) -> None:
    gradient = gradients(1, 1, 1, 3).expand(4000, 1, 1, 3)
    others = noise(norm(1.0)).float().view(4000, 1, 1, 3)
    best = (norm(1.0).steepest(gradient) * gradient).flatten(1).sum(1)
    assert bool(((others * gradient).flatten(1).sum(1) <= best + 1e-6).all())


@every_norm
def test_no_gradient_gives_no_direction(norm: type[Budget]) -> None:
    gradient = gradients(2, 1, 2, 2)
    gradient[0] = 0
    direction = norm(1.0).steepest(gradient)
    assert bool((direction[0] == 0).all())
    torch.testing.assert_close(norm(1.0).size(direction[1:]), torch.ones(1))


def test_in_l1_a_step_is_not_spent_on_what_cannot_move() -> None:
    gradient = torch.tensor([5.0, -4.0, 3.0, -2.0, 1.0]).view(1, 1, 1, 5)
    free = torch.tensor([0.0, 0.3, 1.0, 1.0, 0.0]).view(1, 1, 1, 5)
    # The first stands at its bound, the second reaches it after 0.3 (both may push against it), the third moves 0.7.
    assert L1(1.0).steepest(gradient, free=free).flatten().tolist() == pytest.approx([1.0, -1.0, 0.7, 0.0, 0.0])
    assert L1(1.0).steepest(gradient).flatten().tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("norm", [Linf, L2])
def test_elsewhere_pixels_do_not_compete(norm: type[Budget]) -> None:
    gradient = gradients(2, 1, 2, 2)
    assert torch.equal(norm(1.0).steepest(gradient, free=torch.zeros(2, 1, 2, 2)), norm(1.0).steepest(gradient))


@every_norm
@pytest.mark.parametrize("eps", [0.0, 0.25])
def test_noise_lies_in_the_ball(norm: type[Budget], eps: float) -> None:
    drawn = noise(norm(eps), count=50, shape=(3, 8, 8)).view(50, 3, 8, 8)
    sizes = norm(eps).size(drawn)
    assert float(sizes.max()) <= eps + 1e-6
    assert float(sizes.min()) >= 0.9 * eps  # in many dimensions nearly all of a ball lies near its surface


@every_norm
def test_noise_has_no_preferred_side(norm: type[Budget]) -> None:
    drawn = noise(norm(0.5))
    error = drawn.std(0) / len(drawn) ** 0.5
    assert bool((drawn.mean(0).abs() < 4 * error).all())
    assert float(torch.corrcoef(drawn.T).triu(1).abs().max()) < 0.06


def test_noise_in_linf_is_uniform_in_every_pixel() -> None:
    pixels = noise(Linf(0.25)).T
    assert all(scipy.stats.kstest(one, "uniform", args=(-0.25, 0.5)).pvalue > 1e-3 for one in pixels)


def test_noise_in_l2_has_the_radius_of_a_uniform_ball() -> None:
    radius = noise(L2(0.5)).norm(dim=1) / 0.5
    assert scipy.stats.kstest(radius**3, "uniform").pvalue > 1e-3


def test_noise_in_l2_is_uniform_in_direction() -> None:
    drawn = noise(L2(0.5))
    height = drawn[:, 0] / drawn.norm(dim=1)  # of a point on a sphere: uniform (Archimedes)
    assert scipy.stats.kstest(height, "uniform", args=(-1, 2)).pvalue > 1e-3


def test_noise_in_l1_has_the_size_and_the_marginals_of_a_uniform_ball() -> None:
    drawn = noise(L1(0.5)) / 0.5
    assert scipy.stats.kstest(drawn.abs().sum(1) ** 3, "uniform").pvalue > 1e-3
    # One pixel's share of the volume beyond x is (1 − x)³.
    assert scipy.stats.kstest(drawn[:, 1].abs(), scipy.stats.beta(1, 3).cdf).pvalue > 1e-3
    assert 0.45 < float((drawn > 0).double().mean()) < 0.55


@every_norm
def test_noise_belongs_to_the_example(norm: type[Budget]) -> None:
    clean, streams = torch.zeros(4, 1, 2, 2), Streams(torch.arange(4))
    rows = torch.tensor([2, 0])
    together = norm(0.3).noise(clean, streams)
    assert torch.equal(norm(0.3).noise(clean[rows], streams.select(rows)), together[rows])
    assert not torch.equal(together[0], together[1])


@every_norm
def test_noise_has_the_images_precision(norm: type[Budget]) -> None:
    assert (
        norm(0.3).noise(torch.zeros(2, 1, 2, 2, dtype=torch.float64), Streams(torch.arange(2))).dtype == torch.float64
    )


@every_norm
def test_there_is_no_uniform_noise_without_a_limit(norm: type[Budget]) -> None:
    with pytest.raises(ValueError, match="no uniform noise exists in a ball without a limit"):
        norm(math.inf).noise(torch.zeros(2, 1, 2, 2), Streams(torch.arange(2)))


def test_a_column_multiplies_an_image() -> None:
    assert column(torch.arange(3.0)).shape == (3, 1, 1, 1)
    assert column(torch.tensor([True])).dtype == torch.bool
