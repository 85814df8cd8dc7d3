"""Grids: one experiment per task combination and training, from one hardened recipe with all hidden tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import polars as pl

from manyheads.experiments import Experiment

PLAIN, HARDENED = "plain", "hardened"


@dataclass(frozen=True)
class Member:
    """One experiment of a grid, and its place there."""

    combination: str
    training: str
    experiment: Experiment


def grid(recipe: Experiment, *, study: str, plain_epochs: int | None = None) -> tuple[Member, ...]:
    """Vary a recipe over all combinations of its hidden tasks, each plainly and adversarially trained.

    Args:
        recipe: a hardened experiment with all hidden tasks.
        study: name of the study, the folder of its runs.
        plain_epochs: epochs of plain training; None for as many as the recipe has.

    Raises:
        ValueError: if the recipe is not hardened.
    """
    if recipe.training.hardening is None:
        raise ValueError(f"a grid compares plain with hardened training, but recipe {recipe.name!r} has no hardening")
    plain = replace(recipe.training, hardening=None, epochs=plain_epochs or recipe.training.epochs)
    trainings = {PLAIN: plain, HARDENED: recipe.training}
    members = []
    for training, wanted in trainings.items():
        for hidden in subsets(recipe.hidden):
            combination = "+".join(["main", *hidden])
            name = f"{study}/{recipe.name}/{combination}-{training}"
            experiment = replace(recipe, name=name, hidden=hidden, training=wanted)
            members.append(Member(combination, training, experiment))
    return tuple(members)


def subsets(hidden: Mapping[str, str]) -> list[dict[str, str]]:
    """List all subsets of the hidden tasks, small ones first, in the recipe's order.

    >>> subsets({"parity": "a", "prime": "b"})
    [{}, {'parity': 'a'}, {'prime': 'b'}, {'parity': 'a', 'prime': 'b'}]
    """
    return [
        {name: hidden[name] for name in chosen}
        for size in range(len(hidden) + 1)
        for chosen in combinations(hidden, size)
    ]


def places(members: tuple[Member, ...]) -> pl.DataFrame:
    """Tabulate which model has which combination and training."""
    rows = [(member.experiment.name, member.combination, member.training) for member in members]
    return pl.DataFrame(rows, schema=["model", "combination", "training"], orient="row")
