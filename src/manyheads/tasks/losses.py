"""Losses per example; the caller reduces."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from manyheads.types import PerExample


@dataclass(frozen=True)
class CrossEntropy:
    """Cross-entropy of class scores, in nats, one number per example."""

    def __call__(self, output: Float[Tensor, "batch classes"], truth: Int64[Tensor, " batch"]) -> PerExample:
        """Return −log softmax(output)[truth]."""
        return torch.nn.functional.cross_entropy(output, truth, reduction="none")
