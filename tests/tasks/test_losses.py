"""Losses per example equal hand-computed numbers."""

import math

import pytest
import torch

from manyheads.tasks import UNKNOWN_CLASS, CrossEntropy, MaskedCosine, MaskedCrossEntropy, MaskedL1, MaskedL2, known


def test_cross_entropy_of_a_hand_computed_case() -> None:
    output = torch.tensor([[math.log(1.0), math.log(3.0)], [0.0, 0.0]])
    assert CrossEntropy()(output, torch.tensor([0, 1])).tolist() == pytest.approx([math.log(4), math.log(2)])


def test_cross_entropy_of_an_example_ignores_its_batch_mates() -> None:
    output = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    truth = torch.arange(7) % 5
    alone = torch.cat([CrossEntropy()(output[k : k + 1], truth[k : k + 1]) for k in range(7)])
    torch.testing.assert_close(CrossEntropy()(output, truth), alone)


def test_cross_entropy_of_no_examples_is_empty() -> None:
    assert CrossEntropy()(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)).shape == (0,)


def test_cross_entropy_of_an_unknown_label_is_zero_without_a_gradient() -> None:
    output = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    losses = CrossEntropy()(output, torch.tensor([UNKNOWN_CLASS, 1]))
    losses.sum().backward()
    assert losses[0] == 0 < losses[1]
    assert output.grad is not None
    assert output.grad[0].tolist() == [0, 0, 0]


DENSE = [
    (MaskedCrossEntropy(), "classes"),
    (MaskedL1(), "numbers"),
    (MaskedL2(), "numbers"),
    (MaskedCosine(), "numbers"),
]


def frames(kind: str, *, unknown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs of two channels, and truth of this kind, unknown where said."""
    rng = torch.Generator().manual_seed(0)
    output = torch.randn(len(unknown), 2, *unknown.shape[1:], generator=rng)
    truths = {
        "classes": torch.randint(2, unknown.shape, generator=rng).masked_fill(unknown, UNKNOWN_CLASS),
        "numbers": torch.randn(output.shape, generator=rng).masked_fill(unknown[:, None], torch.nan),
    }
    return output, truths[kind]


def test_masked_losses_of_a_hand_computed_case() -> None:
    output = torch.tensor([[[[1.0, 5.0]], [[2.0, 5.0]]]])
    truth = torch.tensor([[[[0.0, torch.nan]], [[-1.0, torch.nan]]]])
    assert MaskedL1()(output, truth).tolist() == [2]
    assert MaskedL2()(output, truth).tolist() == [5]
    classes = MaskedCrossEntropy()(torch.zeros(1, 4, 1, 2), torch.tensor([[[3, UNKNOWN_CLASS]]]))
    assert classes.tolist() == pytest.approx([math.log(4)])


def test_the_cosine_loss_tells_directions_and_not_lengths() -> None:
    output = torch.tensor([[3.0, 0.0], [2.0, 2.0], [0.0, 5.0], [-4.0, 0.0], [0.0, 0.0]])[:, :, None, None]
    truth = torch.tensor([0.5, 0.0]).expand(5, 2)[:, :, None, None]
    assert MaskedCosine()(output, truth).tolist() == pytest.approx([0, 1 - math.sqrt(0.5), 1, 2, 1])


@pytest.mark.parametrize(("loss", "kind"), DENSE)
def test_masked_losses_are_those_of_the_known_pixels_alone(loss, kind: str) -> None:
    unknown = torch.zeros(3, 4, 5, dtype=torch.bool)
    unknown[..., 3:] = True
    output, truth = frames(kind, unknown=unknown)
    torch.testing.assert_close(loss(output, truth), loss(output[..., :3], truth[..., :3]))


@pytest.mark.parametrize(("loss", "kind"), DENSE)
def test_a_masked_loss_of_an_example_ignores_its_batch_mates(loss, kind: str) -> None:
    output, truth = frames(kind, unknown=torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(1)) < 0.4)
    alone = torch.cat([loss(output[row : row + 1], truth[row : row + 1]) for row in range(4)])
    torch.testing.assert_close(loss(output, truth), alone)


@pytest.mark.parametrize(("loss", "kind"), DENSE)
def test_unknown_pixels_leave_no_trace_in_the_gradient(loss, kind: str) -> None:
    unknown = torch.tensor([[[True, True]], [[True, False]]])
    output, truth = frames(kind, unknown=unknown)
    output.requires_grad_()
    losses = loss(output, truth)
    losses.sum().backward()
    assert losses[0] == 0 < losses[1]
    assert output.grad is not None
    assert output.grad.isfinite().all()
    assert torch.equal((output.grad != 0).any(1), ~unknown)


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        (torch.tensor([0, UNKNOWN_CLASS]), [True, False]),
        (torch.tensor([[[0, -1]], [[-1, -1]]]), [True, False]),
        (torch.tensor([[[[1.0, torch.nan]]], [[[torch.nan, torch.nan]]]]), [True, False]),
        (torch.tensor([[[[0.0]], [[torch.nan]]], [[[0.0]], [[0.0]]]]), [False, True]),
        (torch.zeros(0, 1, 2, 2), []),
    ],
)
def test_an_example_is_known_if_any_of_it_is(truth: torch.Tensor, expected: list[bool]) -> None:
    assert known(truth).tolist() == expected
