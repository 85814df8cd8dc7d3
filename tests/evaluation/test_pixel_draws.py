"""Random subsets of pixels: known ones, nested within a draw, the same for an example wherever it stands."""

import pytest
import torch
from scipy.stats import kstest
from torch import Tensor, nn

from manyheads.evaluation import PixelDraws
from manyheads.evaluation.pixel_draws import only
from manyheads.tasks import UNKNOWN_CLASS, Annotation, Segmentation, Task
from manyheads.tasks.losses import MaskedCrossEntropy

TASK = Task(
    name="ground", channels=3, target=Annotation("ground"), loss=MaskedCrossEntropy(), metric=lambda: Segmentation(3)
)
INDEX = torch.tensor([4, 9, 11])


def truth(*, unknown: int = 0) -> Tensor:
    """Three frames of thirty pixels; in the second, the first so many are unknown."""
    classes = torch.randint(3, (3, 5, 6), generator=torch.Generator().manual_seed(0))
    classes[1].view(-1)[:unknown] = UNKNOWN_CLASS
    return classes


def test_an_order_holds_every_pixel_once_and_unknown_ones_last() -> None:
    order = PixelDraws((1,)).order(truth(unknown=10), INDEX, draw=0)
    assert torch.equal(order.sort(dim=1).values, torch.arange(30).expand(3, -1))
    assert set(order[1, 20:].tolist()) == set(range(10))


def test_draws_and_examples_differ_and_seeds_decide() -> None:
    first = PixelDraws((1,)).order(truth(), INDEX, draw=0)
    assert not torch.equal(first[0], first[2])
    assert not torch.equal(first, PixelDraws((1,)).order(truth(), INDEX, draw=1))
    assert not torch.equal(first, PixelDraws((1,), seed=1).order(truth(), INDEX, draw=0))
    assert torch.equal(first, PixelDraws((7,), draws=3).order(truth(), INDEX, draw=0))


def test_an_example_keeps_its_pixels_in_any_batch() -> None:
    draws = PixelDraws((1,))
    assert torch.equal(draws.order(truth(), INDEX, draw=2)[1:], draws.order(truth()[1:], INDEX[1:], draw=2))


def test_every_pixel_is_as_likely_as_any_other() -> None:
    first = PixelDraws((1,)).order(torch.zeros(4000, 5, 6, dtype=torch.int64), torch.arange(4000), draw=0)[:, 0]
    jittered = (first + torch.rand(4000, generator=torch.Generator().manual_seed(0))) / 30
    assert kstest(jittered.numpy(), "uniform").pvalue > 0.01


def test_all_but_the_chosen_pixels_become_unknown() -> None:
    kept = only(torch.tensor([[0, 7]] * 3), truth())
    assert (kept != UNKNOWN_CLASS).flatten(1).nonzero()[:, 1].tolist() == [0, 7] * 3
    assert torch.equal(kept[:, 0, 0], truth()[:, 0, 0])
    assert torch.equal(kept[:, 1, 1], truth()[:, 1, 1])


def test_examples_with_too_few_known_pixels_are_left_out() -> None:
    batch = {"image": torch.rand(3, 1, 5, 6), "ground": truth(unknown=11), "index": INDEX}
    kept = {number: [part.index.tolist() for part in PixelDraws((1, number)).examples(nn.Identity(), TASK, [batch])]
            for number in (19, 20)}  # fmt: skip
    assert kept == {19: [[4, 9, 11]], 20: [[4, 11]]}


def test_more_pixels_than_any_example_has_are_refused() -> None:
    batch = {"image": torch.rand(3, 1, 5, 6), "ground": truth()}
    with pytest.raises(ValueError, match="no example has 31 known pixels of 'ground'; draw fewer"):
        list(PixelDraws((31,)).examples(nn.Identity(), TASK, [batch]))


@pytest.mark.parametrize(("numbers", "draws"), [((), 20), ((0, 3), 20), ((1,), 0)])
def test_draws_of_nothing_are_refused(numbers: tuple[int, ...], draws: int) -> None:
    with pytest.raises(ValueError, match="at least one pixel is drawn at least once"):
        PixelDraws(numbers, draws)
