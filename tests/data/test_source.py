"""Sources hand out what they were given; splits and draws are disjoint, even, and decided by the seed alone."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from manyheads.data import InMemory, Subset, split, take

NAMES = tuple("abcdefgh")
LABELS = st.lists(st.integers(0, 7), min_size=2, max_size=120)
SEEDS = st.integers(0, 2**31)


def source_of(labels: list[int], *, groups: list[int] | None = None) -> InMemory:
    """Images of one pixel that shows their number."""
    images = (torch.arange(len(labels)) % 256).to(torch.uint8).view(-1, 1, 1, 1)
    together = None if groups is None else torch.tensor(groups)
    return InMemory(images, torch.tensor(labels), NAMES, together)


def counts(labels: Tensor) -> np.ndarray:
    return labels.bincount(minlength=len(NAMES)).numpy()


def test_rows_are_fetched_in_their_order() -> None:
    source = source_of([3, 1, 4])
    batch = source.fetch(torch.tensor([2, 0]))
    assert batch["image"].flatten().tolist() == [2, 0]
    assert batch["image"].dtype == torch.uint8
    assert batch["label"].tolist() == [4, 3]
    assert batch["index"].tolist() == [2, 0]
    assert source.image_shape == (1, 1, 1)
    assert len(source) == 3


def test_a_subset_of_a_subset_keeps_the_numbers_of_the_whole() -> None:
    source = source_of([0, 1, 2, 3, 4], groups=[9, 9, 8, 8, 7])
    inner = Subset(Subset(source, torch.tensor([4, 2, 1])), torch.tensor([2, 0]))
    batch = inner.fetch(torch.tensor([1, 0]))
    assert batch["index"].tolist() == [4, 1]
    assert batch["label"].tolist() == [4, 1]
    assert inner.labels.tolist() == [1, 4]
    assert inner.groups is not None
    assert inner.groups.tolist() == [9, 7]
    assert (inner.class_names, inner.image_shape, inner.in_memory) == (NAMES, (1, 1, 1), True)


PIXELS = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        ([0, 1, 2], None, "got 2 images, 3 labels and no groups"),
        ([0, 1], [0], "got 2 images, 2 labels and 1 groups"),
        ([0, 8], None, "labels must be 0 to 7, got 0 to 8"),
        ([-1, 0], None, "labels must be 0 to 7, got -1 to 0"),
    ],
)
def test_images_that_do_not_fit_their_labels_are_refused(
    labels: list[int], groups: list[int] | None, message: str
) -> None:
    together = None if groups is None else torch.tensor(groups)
    with pytest.raises(ValueError, match=message):
        InMemory(PIXELS, torch.tensor(labels), NAMES, together)


def test_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="a source needs at least one example, got none"):
        InMemory(PIXELS[:0], torch.zeros(0, dtype=torch.int64), NAMES)


def test_an_empty_subset_is_refused() -> None:
    with pytest.raises(ValueError, match="a subset needs at least one example, got none"):
        Subset(source_of([0, 1]), torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize("row", [-1, 2])
def test_a_row_that_is_not_there_is_refused(row: int) -> None:
    with pytest.raises(ValueError, match=f"rows must be 0 to 1, got {row} to {row}"):
        Subset(source_of([0, 1]), torch.tensor([row]))


@settings(max_examples=40)
@given(LABELS, st.floats(0.01, 0.99), SEEDS)
def test_a_split_is_disjoint_complete_and_even(labels: list[int], share: float, seed: int) -> None:
    assume(0 < round(share * len(labels)) < len(labels))
    source = source_of(labels)
    rest, part = split(source, share=share, seed=seed)
    assert sorted(rest.rows.tolist() + part.rows.tolist()) == list(range(len(labels)))
    assert len(part) == round(share * len(labels))
    # Within a class the count is off by less than one; the cut that fixes the sum moves every class's share alike.
    of_class = counts(source.labels)
    slack = 1 + len(NAMES) * of_class / len(labels)
    assert (np.abs(counts(part.labels) - share * of_class) <= slack).all()


@settings(max_examples=40)
@given(st.integers(2, 8), st.integers(1, 9), st.integers(1, 8), SEEDS)
def test_equal_classes_stay_equal(classes: int, size: int, tenths: int, seed: int) -> None:
    _, part = split(source_of(list(range(classes)) * 10 * size), share=tenths / 10, seed=seed)
    assert counts(part.labels)[:classes].tolist() == [tenths * size] * classes


@settings(max_examples=40)
@given(LABELS, SEEDS)
def test_the_seed_alone_decides(labels: list[int], seed: int) -> None:
    assume(len(labels) > 3)
    first, second = (split(source_of(labels), share=0.4, seed=seed)[1].rows for _ in range(2))
    assert torch.equal(first, second)


def test_another_seed_splits_otherwise() -> None:
    parts = {tuple(split(source_of([0] * 40), share=0.5, seed=seed)[1].rows.tolist()) for seed in range(20)}
    assert len(parts) == 20


def test_every_example_is_as_likely_as_any_other() -> None:
    source = source_of([0] * 1 + [1] * 3 + [2] * 16)
    drawn = torch.zeros(20)
    for seed in range(200):
        drawn[split(source, share=0.25, seed=seed)[1].rows] += 1
    assert ((drawn / 200 - 0.25).abs() < 0.12).all()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(1, 6)), min_size=4, max_size=40), SEEDS)
def test_groups_are_never_split(sizes: list[tuple[int, int]], seed: int) -> None:
    labels = [label for label, size in sizes for _ in range(size)]
    groups = [100 - number for number, (_, size) in enumerate(sizes) for _ in range(size)]
    rest, part = split(source_of(labels, groups=groups), share=0.5, seed=seed)
    assert rest.groups is not None
    assert part.groups is not None
    assert not set(rest.groups.tolist()) & set(part.groups.tolist())
    assert sorted(rest.rows.tolist() + part.rows.tolist()) == list(range(len(labels)))
    assert abs(len(part) - round(0.5 * len(labels))) < max(size for _, size in sizes)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_of_all_or_nothing_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"share is the second part's share of the examples, in \(0, 1\), got"):
        split(source_of([0, 1]), share=share, seed=0)


@pytest.mark.parametrize(("groups", "share"), [(None, 0.1), (None, 0.95), ([1] * 4, 0.5)])
def test_a_split_that_leaves_a_part_empty_is_refused(groups: list[int] | None, share: float) -> None:
    with pytest.raises(ValueError, match=rf"a share of {share} of 4 examples .* no part may be empty"):
        split(source_of([0, 1, 0, 1], groups=groups), share=share, seed=0)


@settings(max_examples=40)
@given(LABELS, SEEDS, st.data())
def test_a_draw_has_every_class_by_its_share(labels: list[int], seed: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(labels)))
    source = source_of(labels)
    drawn = take(source, count=count, seed=seed)
    assert len(drawn) == drawn.rows.unique().numel() == count
    assert torch.equal(drawn.rows, drawn.rows.sort().values)
    of_class = counts(source.labels)
    slack = 1 + len(NAMES) * of_class / len(labels)
    assert (np.abs(counts(drawn.labels) - count / len(labels) * of_class) <= slack).all()


@settings(max_examples=40)
@given(LABELS, SEEDS, st.data())
def test_a_smaller_draw_is_part_of_a_larger_one(labels: list[int], seed: int, data: st.DataObject) -> None:
    small = data.draw(st.integers(1, len(labels)))
    large = data.draw(st.integers(small, len(labels)))
    inside, outside = (take(source_of(labels), count=count, seed=seed).rows.tolist() for count in (small, large))
    assert set(inside) <= set(outside)


def test_a_draw_sees_many_groups() -> None:
    source = source_of([0] * 100, groups=[number // 10 for number in range(100)])
    drawn = take(source, count=20, seed=0)
    assert drawn.groups is not None
    assert drawn.groups.unique().numel() > 5


@pytest.mark.parametrize("count", [0, 3, -1])
def test_a_draw_of_too_many_or_none_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"count must be 1 to 2, the number of examples, got {count}"):
        take(source_of([0, 1]), count=count, seed=0)
