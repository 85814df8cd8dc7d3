"""Optimisers as values, so that a run can be described before there is a model."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn


class Optimizer(ABC):
    """A description of an optimiser."""

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
            parameters, lr=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay
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
        return torch.optim.Adam(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)
