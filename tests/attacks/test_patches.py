"""Patches: where they lie, and that they stay at the border of the budget."""

import pytest
import torch

from manyheads.attacks.patches import Bumps, Flat, patches
from manyheads.randomness import Streams
from manyheads.threats import L1, L2, Budget, Linf

CLEAN = torch.full((6, 3, 10, 12), 0.5)
STREAMS = Streams(torch.arange(6))


@pytest.mark.parametrize("budget", [Linf(0.1), L2(0.5), L1(2.0)])
def test_the_first_image_spends_the_budget(budget: Budget) -> None:
    first = patches(budget).first(CLEAN, budget=budget, rng=STREAMS)
    torch.testing.assert_close(budget.size(first - CLEAN), torch.full((6,), budget.eps))


@pytest.mark.parametrize("budget", [L2(0.5), L1(2.0)])
@pytest.mark.parametrize("side", [3, 5, 10])
def test_a_bump_takes_what_another_square_gives(budget: Budget, side: int) -> None:
    drawn = patches(budget)
    image = drawn.first(CLEAN, budget=budget, rng=STREAMS)
    for number in range(4):
        image = drawn.next(image, clean=CLEAN, budget=budget, rng=STREAMS.fork(number), side=side)
        torch.testing.assert_close(budget.size(image - CLEAN), torch.full((6,), budget.eps), rtol=1e-4, atol=0)


def test_a_flat_patch_is_a_square_of_one_level_per_channel() -> None:
    image = Flat().next(CLEAN, clean=CLEAN, budget=Linf(0.1), rng=STREAMS, side=4)
    changed = (image != CLEAN).any(1)
    assert changed.sum((1, 2)).tolist() == [16] * 6
    rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
    assert rows.tolist() == columns.tolist() == [4] * 6
    torch.testing.assert_close((image - CLEAN).abs().amax((2, 3)), torch.full((6, 3), 0.1))


def test_stripes_run_from_top_to_bottom() -> None:
    first = Flat().first(CLEAN, budget=Linf(0.1), rng=STREAMS)
    assert torch.equal(first, first[:, :, :1].expand_as(first))
    assert not torch.equal(first[0], first[1])


def test_patches_lie_everywhere() -> None:
    covered = torch.zeros(10, 12)
    for number in range(40):
        image = Flat().next(CLEAN, clean=CLEAN, budget=Linf(0.1), rng=STREAMS.fork(number), side=3)
        covered += (image != CLEAN).any(1).sum(0)
    assert float(covered.min()) > 0


def test_a_bump_goes_up_and_down() -> None:
    image = Bumps(power=2).next(CLEAN, clean=CLEAN, budget=L2(0.5), rng=STREAMS, side=7)
    change = (image - CLEAN)[:, 0]
    assert bool((change.amax((1, 2)) > 0).all())
    assert bool((change.amin((1, 2)) < 0).all())


class Odd(Budget):
    """A budget of no norm that is known."""

    size = shrink = steepest = noise = slack = around = lambda *_, **__: None


def test_another_norm_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="known in L∞, L2 and L1, not in Odd"):
        patches(Odd(1.0))
