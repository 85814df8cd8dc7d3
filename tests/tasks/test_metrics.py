"""Counters agree with scikit-learn and add up over batches."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from manyheads.tasks import Accuracy


def drawn(*, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random class scores and labels of four classes."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, generator=rng), torch.randint(4, (count,), generator=rng)


@given(count=st.integers(1, 40), seed=st.integers(0, 1000))
def test_accuracy_agrees_with_scikit_learn(count: int, seed: int) -> None:
    output, truth = drawn(count=count, seed=seed)
    accuracy = Accuracy()
    accuracy.update(output, truth)
    assert accuracy.scores()["accuracy"] == pytest.approx(accuracy_score(truth, output.argmax(1)))


@given(count=st.integers(0, 20), cut=st.integers(0, 20))
def test_batches_and_ranks_add_up(count: int, cut: int) -> None:
    output, truth = drawn(count=count, seed=3)
    whole, first, second = Accuracy(), Accuracy(), Accuracy()
    whole.update(output, truth)
    first.update(output[:cut], truth[:cut])
    second.update(output[cut:], truth[cut:])
    first.state += second.state
    assert torch.equal(first.state, whole.state)


def test_accuracy_of_nothing_is_unknown() -> None:
    assert math.isnan(Accuracy().scores()["accuracy"])
