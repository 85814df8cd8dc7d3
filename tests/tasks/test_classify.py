"""Classification tasks read their truth from the batch's annotations."""

import pytest
import torch

from manyheads.tasks import LabelMap, classify, maps, regroup

BATCH = {"label": torch.tensor([3, 8, 2]), "colour": torch.tensor([1, 0, 2])}


def test_classes_are_counted_or_named() -> None:
    assert classify("digit", classes=10).channels == 10
    assert classify("pet", classes=("cat", "dog")).channels == 2
    assert classify("pet", classes=("cat", "dog")).class_names == ("cat", "dog")


def test_the_main_tasks_truth_is_the_annotation() -> None:
    assert classify("digit", classes=10).target(BATCH).tolist() == [3, 8, 2]
    assert classify("paint", classes=3, source="colour").target(BATCH).tolist() == [1, 0, 2]


def test_a_hidden_tasks_truth_is_the_annotation_regrouped() -> None:
    assert regroup("prime", maps.load("mnist/prime")).target(BATCH).tolist() == [1, 0, 1]
    grey = LabelMap(("grey", "bright"), (0, 1, 1))
    assert regroup("shade", grey, source="colour").target(BATCH).tolist() == [1, 0, 1]


def test_a_hidden_task_remembers_its_map() -> None:
    prime = regroup("prime", maps.load("mnist/prime"))
    assert prime.label_map == maps.load("mnist/prime")
    assert (prime.channels, prime.class_names) == (2, ("composite", "prime"))
    assert classify("digit", classes=10).label_map is None


def test_a_missing_annotation_is_named() -> None:
    with pytest.raises(KeyError, match="the batch has no annotation 'size'; it has: colour, label"):
        classify("size", classes=3, source="size").target(BATCH)
