"""Linear heads fit their tasks."""

import pytest
from torch import nn

from manyheads.models import linear_heads
from manyheads.tasks import Brightness, Crossing, classify, cross, maps, regroup


def test_each_head_has_its_tasks_channels() -> None:
    tasks = [
        classify("digit", classes=10),
        regroup("prime", maps.load("mnist/prime")),
        cross("lit", Crossing(10, Brightness())),
    ]
    heads = linear_heads(tasks, features=7)
    assert [(name, head.in_features, head.out_features) for name, head in heads.items()] == [
        ("digit", 7, 10),
        ("prime", 7, 2),
        ("lit", 7, 20),
    ]
    assert all(isinstance(head, nn.Linear) for head in heads.values())


def test_two_tasks_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="several are called: digit"):
        linear_heads([classify("digit", classes=10), classify("digit", classes=2)], features=7)
