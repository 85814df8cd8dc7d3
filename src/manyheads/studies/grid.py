"""Grids: one experiment per task combination and training, from one hardened recipe with all hidden tasks."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

from manyheads.experiments import Experiment, combination, training


def grid(recipe: Experiment, *, study: str, plain_epochs: int | None = None) -> tuple[Experiment, ...]:
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
    members = []
    for wanted in (plain, recipe.training):
        for hidden in subsets(recipe.hidden):
            member = replace(recipe, hidden=hidden, training=wanted)
            name = f"{study}/{recipe.name}/{combination(member)}-{training(member)}"
            members.append(replace(member, name=name))
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
