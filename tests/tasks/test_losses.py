"""Losses per example equal hand-computed numbers."""

import math

import pytest
import torch

from manyheads.tasks import CrossEntropy


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
