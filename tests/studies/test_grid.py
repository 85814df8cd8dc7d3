from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manyheads.experiments import Experiment
from manyheads.recipes import digits
from manyheads.studies import grid, subsets

COMBINATIONS = ("main", "main+parity", "main+prime", "main+parity+prime")


def test_a_grid_has_every_combination_plain_then_hardened() -> None:
    members = grid(digits(), study="try")
    assert [one.name for one in members] == [
        f"try/digits/{combination}-{training}" for training in ("plain", "hardened") for combination in COMBINATIONS
    ]
    assert [tuple(one.hidden) for one in members] == [(), ("parity",), ("prime",), ("parity", "prime")] * 2


def test_members_differ_in_nothing_but_tasks_and_hardening() -> None:
    recipe = digits()
    for place, member in enumerate(grid(recipe, study="try")):
        expected = replace(recipe.training, hardening=None) if place < 4 else recipe.training
        assert member.training == expected
        assert replace(member, name=recipe.name, hidden=recipe.hidden, training=recipe.training) == recipe


def test_plain_training_may_be_shorter() -> None:
    members = grid(digits(), study="try", plain_epochs=2)
    assert [one.training.epochs for one in members] == [2] * 4 + [15] * 4


def test_a_plain_recipe_is_refused(tiny: Callable[[Path], Experiment]) -> None:
    recipe = tiny(Path("runs"))
    plain = replace(recipe, training=replace(recipe.training, hardening=None))
    with pytest.raises(
        ValueError, match=r"compares plain with hardened training, but recipe 'digits' has no hardening"
    ):
        grid(plain, study="try")


def test_subsets_of_three_tasks_are_listed_small_ones_first() -> None:
    found = subsets({"c": "1", "a": "2", "b": "3"})
    assert [tuple(one) for one in found] == [
        (),
        ("c",),
        ("a",),
        ("b",),
        ("c", "a"),
        ("c", "b"),
        ("a", "b"),
        ("c", "a", "b"),
    ]
    assert found[-1] == {"c": "1", "a": "2", "b": "3"}
    assert subsets({}) == [{}]
