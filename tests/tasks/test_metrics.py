"""Counters agree with scikit-learn and add up over batches."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score
from torch import Tensor

from manyheads.tasks import (
    UNKNOWN_CLASS,
    AbsoluteError,
    Accuracy,
    AngularError,
    Counter,
    DepthError,
    Segmentation,
    relative_improvement,
)

COUNTERS = [Accuracy(), Segmentation(4), DepthError(), AngularError(), AbsoluteError()]


def drawn(*, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random class scores and labels of four classes."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, generator=rng), torch.randint(4, (count,), generator=rng)


def answers(counter: Counter, *, count: int) -> tuple[Tensor, Tensor]:
    """Random outputs and truth of any counter's form, a third of it unknown."""
    rng = torch.Generator().manual_seed(7)
    channels = {"Accuracy": 4, "Segmentation": 4, "DepthError": 1, "AngularError": 3, "AbsoluteError": 2}
    output = torch.randn(count, channels[type(counter).__name__], 3, 5, generator=rng)
    unknown = torch.rand(count, 3, 5, generator=rng) < 1 / 3
    classes = torch.randint(4, (count, 3, 5), generator=rng).masked_fill(unknown, UNKNOWN_CLASS)
    numbers = torch.rand(output.shape, generator=rng).add(0.1).masked_fill(unknown[:, None], torch.nan)
    forms = {"Accuracy": (output[:, :, 0, 0], classes[:, 0, 0]), "Segmentation": (output, classes)}
    return forms.get(type(counter).__name__, (output, numbers))


@given(count=st.integers(1, 40), seed=st.integers(0, 1000))
def test_accuracy_agrees_with_scikit_learn(count: int, seed: int) -> None:
    output, truth = drawn(count=count, seed=seed)
    accuracy = Accuracy()
    accuracy.update(output, truth)
    assert accuracy.scores()["accuracy"] == pytest.approx(accuracy_score(truth, output.argmax(1)))


def test_examples_of_unknown_class_do_not_count() -> None:
    accuracy = Accuracy()
    accuracy.update(torch.eye(3), torch.tensor([0, UNKNOWN_CLASS, 1]))
    assert accuracy.scores() == {"accuracy": 0.5}


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: type(counter).__name__)
@given(count=st.integers(0, 12), cut=st.integers(0, 12))
def test_batches_and_ranks_add_up(counter: Counter, count: int, cut: int) -> None:
    output, truth = answers(counter, count=count)
    whole = counter.count(output, truth).sum(0)
    counter.state = torch.zeros_like(counter.state)
    counter.update(output[:cut], truth[:cut])
    counter.update(output[cut:], truth[cut:])
    torch.testing.assert_close(counter.state, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: type(counter).__name__)
def test_examples_count_one_by_one(counter: Counter) -> None:
    output, truth = answers(counter, count=5)
    alone = torch.cat([counter.count(output[row : row + 1], truth[row : row + 1]) for row in range(5)])
    torch.testing.assert_close(counter.count(output, truth), alone)
    assert alone.shape == (5, len(counter.state))


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: type(counter).__name__)
def test_an_example_without_truth_adds_nothing(counter: Counter) -> None:
    output, truth = answers(counter, count=1)
    nothing = torch.full_like(truth, torch.nan if truth.is_floating_point() else UNKNOWN_CLASS)
    assert torch.equal(counter.count(output, nothing), torch.zeros(1, len(counter.state), dtype=torch.float64))


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: type(counter).__name__)
def test_scores_of_nothing_are_unknown(counter: Counter) -> None:
    counter.state = torch.zeros_like(counter.state)
    scores = counter.scores()
    assert scores.pop("pixels", 0.0) == 0
    assert scores
    assert all(math.isnan(score) for score in scores.values())


@pytest.mark.parametrize(("counter", "better"), list(zip(COUNTERS, (True, True, False, False, False), strict=True)))
def test_every_counter_says_which_score_matters_and_which_way(counter: Counter, *, better: bool) -> None:
    assert counter.headline in counter.scores()
    assert counter.higher_is_better == better


@pytest.mark.parametrize(
    ("value", "baseline", "higher_is_better", "percent"),
    [
        (0.6, 0.5, True, 20),
        (0.4, 0.5, True, -20),
        (4.0, 5.0, False, 20),
        (6.0, 5.0, False, -20),
        (-1.0, -2.0, True, 50),
    ],
)
def test_improvement_is_positive_where_the_value_is_better(
    value: float, *, baseline: float, higher_is_better: bool, percent: float
) -> None:
    found = relative_improvement(value, baseline=baseline, higher_is_better=higher_is_better)
    assert found == pytest.approx(percent)


def test_nothing_is_in_percent_of_zero() -> None:
    with pytest.raises(ValueError, match="in percent of zero; report the difference"):
        relative_improvement(1.0, baseline=0.0, higher_is_better=True)
