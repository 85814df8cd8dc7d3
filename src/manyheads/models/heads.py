"""Heads: what turns shared features into the answer of one task."""

from collections.abc import Sequence

from torch import nn

from manyheads.tasks import Task


def linear_heads(tasks: Sequence[Task], *, features: int) -> dict[str, nn.Module]:
    """Make one linear layer per task, from the encoder's features to the task's channels.

    Args:
        tasks: what the heads shall answer.
        features: how many numbers the encoder returns per image (`encoder.features`).

    Raises:
        ValueError: if two tasks have one name.

    Reference: Hyun & Park, IEEE Access 2024, section III-B. Differs from it in: nothing.

    >>> from manyheads.tasks import classify
    >>> linear_heads([classify("digit", classes=10)], features=64)
    {'digit': Linear(in_features=64, out_features=10, bias=True)}
    """
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each task needs a head of its own name, but several are called: {', '.join(twice)}")
    return {task.name: nn.Linear(features, task.channels) for task in tasks}
