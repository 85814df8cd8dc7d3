"""Weights that are drawn from a seed of their own."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

_Model = TypeVar("_Model", bound=nn.Module)


def seeded(build: Callable[[], _Model], *, seed: int) -> _Model:
    """Build a model whose initial weights depend on the seed alone, and leave torch's global generators as they were.

    The weights are drawn on the CPU, so that a seed gives the same model on every machine; move it afterwards.

    Args:
        build: makes the model.
        seed: decides its weights.

    >>> first, second = (seeded(lambda: nn.Linear(3, 2), seed=0) for _ in range(2))
    >>> bool((first.weight == second.weight).all())
    True
    """
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        return build()
