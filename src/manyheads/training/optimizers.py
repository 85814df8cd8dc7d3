"""Optimisers as values, so that a run can be described before there is a model."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn


class Optimizer(ABC):
    """A description of an optimiser.

    What is made of it updates all parameters at once (`fused`), which is faster, and asks a GPU nothing. On a processor
    this takes every gradient to lie in memory as its parameter does, and where one does not, trains wrongly without a
    word. `backward` sees to that; whoever sets `.grad` by hand has to.
    """

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimiser for these parameters."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent.

    Args:
        learning_rate: the rate that a schedule's factor multiplies.
        momentum: share of the last step that is repeated.
        weight_decay: factor of the weights that is added to their gradient.
    """

    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Make a `torch.optim.SGD`."""
        return torch.optim.SGD(
            parameters, lr=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay, fused=True
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba, ICLR 2015).

    Args:
        learning_rate: the rate that a schedule's factor multiplies.
        weight_decay: factor of the weights that is added to their gradient.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.0

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Make a `torch.optim.Adam`."""
        return torch.optim.Adam(parameters, lr=self.learning_rate, weight_decay=self.weight_decay, fused=True)
