"""Noise: uniform in the budget, and blind."""

import pytest
import torch

from manyheads.attacks import Noise, Restarts
from manyheads.threats import L1, L2, Budget, Linf


class Blindfolded:
    """A loss that fails the test when it is asked."""

    knows_success = True

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        raise AssertionError(image.shape)

    won = margin = select = __call__


def grey(count: int) -> torch.Tensor:
    return torch.full((count, 1, 4, 4), 0.5)


def test_noise_asks_no_model() -> None:
    noisy = Noise()(Blindfolded(), grey(3), Linf(0.1), rng=torch.Generator().manual_seed(0))
    assert not torch.equal(noisy, grey(3))


def test_noise_fills_the_whole_budget_evenly() -> None:
    change = Noise()(Blindfolded(), grey(500), Linf(0.2), rng=torch.Generator().manual_seed(0)) - grey(500)
    share = torch.histc(change, bins=4, min=-0.2, max=0.2) / change.numel()
    torch.testing.assert_close(share, torch.full((4,), 0.25), atol=0.02, rtol=0)


@pytest.mark.parametrize("budget", [Linf(0.3), L2(0.7), L1(2.0)])
def test_noise_is_that_of_the_budget(budget: Budget) -> None:
    noisy = Noise()(Blindfolded(), grey(50), budget, rng=torch.Generator().manual_seed(1))
    assert bool(budget.contains(noisy, grey(50)).all())
    assert float(budget.size(noisy - grey(50)).max()) > 0.8 * budget.eps


def test_restarts_of_noise_find_what_one_draw_misses(victim) -> None:
    loss = victim.loss()
    once, often = (
        int(loss.won(attack(loss, victim.clean, Linf(0.3), rng=torch.Generator().manual_seed(3))).sum())
        for attack in (Noise(), Restarts(Noise(), times=200))
    )
    assert once < often


def test_noise_without_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="noise is drawn from the whole budget, which has no end here"):
        Noise()(Blindfolded(), grey(1), L2(float("inf")))
