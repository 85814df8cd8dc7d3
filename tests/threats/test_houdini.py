"""Houdini on segmentations: values by hand, its gradient against finite differences, and who counts."""

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from scipy.stats import norm
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.tasks import UNKNOWN_CLASS, Segmentation
from manyheads.threats import Houdini, Linf, Loss, LostOverlap, OverlapCost, PercentOverlap

PROFILES = [LostOverlap(), PercentOverlap()]


def example(seed: int, *, batch: int = 2, classes: int = 4, side: int = 5) -> tuple[Tensor, Tensor]:
    """Random scores in double precision and random classes, one in five unknown."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(batch, classes, side, side, generator=generator, dtype=torch.float64)
    truth = torch.randint(classes, (batch, side, side), generator=generator)
    unknown = torch.rand(batch, side, side, generator=generator) < 0.2
    return scores, truth.where(~unknown, UNKNOWN_CLASS)


def houdini(scores: Tensor, truth: Tensor, cost: OverlapCost = PROFILES[0]) -> Tensor:
    return Houdini("segmentation", cost)({"segmentation": scores}, {"segmentation": truth})


@pytest.mark.parametrize(("cost", "factor"), [(LostOverlap(), 1 - 0.25), (PercentOverlap(), 25.0)])
def test_two_pixels_by_hand(cost: OverlapCost, factor: float) -> None:
    scores = torch.tensor([[[[2.0, 2.0, 9.0]], [[1.0, 0.5, 0.0]]]], dtype=torch.float64)
    truth = torch.tensor([[[0, 1, UNKNOWN_CLASS]]])  # one right, one taken for class 0: overlaps 1/2 and 0
    losing = (norm.sf(1.0) + norm.sf(-1.5)) / 2
    assert houdini(scores, truth, cost).tolist() == pytest.approx([factor * losing], rel=1e-12)


@pytest.mark.parametrize("cost", PROFILES)
@hypothesis.given(seed=st.integers(0, 10**6), classes=st.integers(2, 6))
@hypothesis.settings(max_examples=20)
def test_the_gradient_agrees_with_finite_differences(cost: OverlapCost, seed: int, classes: int) -> None:
    scores, truth = example(seed, classes=classes)
    top = scores.topk(2, dim=1).values
    hypothesis.assume(float((top[:, 0] - top[:, 1]).min()) > 1e-4)  # no prediction flips within the difference
    direction = torch.randn(scores.shape, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    direction = direction / direction.abs().max()
    moved = scores.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(houdini(moved, truth, cost).sum(), moved)
    sides = [houdini(scores + side * 1e-5 * direction, truth, cost) for side in (1, -1)]
    torch.testing.assert_close(
        (gradient * direction).flatten(1).sum(1), (sides[0] - sides[1]) / 2e-5, rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("cost", PROFILES)
def test_the_cost_carries_no_gradient(cost: OverlapCost) -> None:
    scores, truth = example(0)
    moved = scores.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(houdini(moved, truth, cost).sum(), moved)
    assert torch.equal(gradient.abs().sum(1) > 0, truth != UNKNOWN_CLASS)
    torch.testing.assert_close(gradient.sum(1), torch.zeros_like(gradient[:, 0]))  # margins alone matter


def test_the_overlap_is_that_of_the_images_own_segmentation() -> None:
    scores, truth = example(3, batch=3)
    losing = houdini(scores, truth, torch.ones_like)
    for row in range(3):
        counter = Segmentation(4)
        counter.update(scores[row : row + 1], truth[row : row + 1])
        expected = (1 - counter.scores()["miou_per_image"]) * losing[row]
        assert float(houdini(scores, truth)[row]) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("cost", PROFILES)
def test_an_image_without_labels_adds_nothing_and_changes_no_other(cost: OverlapCost) -> None:
    scores, truth = example(5)
    truth[0] = UNKNOWN_CLASS
    moved = scores.clone().requires_grad_()
    value = houdini(moved, truth, cost)
    (gradient,) = torch.autograd.grad(value.sum(), moved)
    assert value.detach()[0] == 0
    assert not gradient[0].any()
    torch.testing.assert_close(value.detach()[1:], houdini(scores[1:], truth[1:], cost))


def test_a_faultless_segmentation_has_cost_by_the_released_profile_alone() -> None:
    truth = torch.tensor([[[0, 1], [1, 0]]])
    scores = nn.functional.one_hot(truth, 2).permute(0, 3, 1, 2).double()
    assert houdini(scores, truth).tolist() == [0.0]
    assert houdini(scores, truth, PercentOverlap()).tolist() == pytest.approx([100 * norm.sf(1.0)])


def test_nobody_says_when_houdini_has_won() -> None:
    assert Houdini("segmentation").success is None


def test_an_attack_that_raises_it_lowers_the_overlap() -> None:
    truth = torch.arange(16).reshape(1, 4, 4) % 2
    clean = truth[:, None].double() * 0.2 + 0.4

    class Threshold(nn.Module):
        """Scores of dark and light."""

        def forward(self, image: Tensor) -> dict[str, Tensor]:
            return {"segmentation": torch.cat([0.5 - image, image - 0.5], dim=1) * 10}

    loss = Loss(Threshold(), Houdini("segmentation"), None, {"segmentation": truth})
    attacked = PGD(steps=10, step_size=0.05)(loss, clean, Linf(0.15), rng=torch.Generator().manual_seed(0))
    answer = Threshold()(attacked)["segmentation"].argmax(1)
    assert float((answer == truth).double().mean()) < 0.2
