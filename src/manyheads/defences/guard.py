"""The guard: a model that abstains where its heads contradict each other."""

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from manyheads.defences.rejector import Rejector
from manyheads.types import Flags, Image, Outputs, PerExample

REJECTED = -1
"""What `Guard.predict` returns instead of a class."""


@dataclass(frozen=True, eq=False)
class Decision:
    """What a guard makes of a batch.

    Args:
        label: the main head's answer.
        rejected: whether that answer is withheld.
        score: how much the heads contradict each other.
    """

    label: Int64[Tensor, " batch"]
    rejected: Flags
    score: PerExample


class Guard(nn.Module):
    """A model together with a rule that withholds its answer.

    Args:
        model: a module that maps images to a dict of outputs.
        rejector: scores contradictions between the heads.
        threshold: inputs are rejected where the score reaches it; 1 with `Disagreement` is the paper's rule.

    Raises:
        ValueError: if the threshold is not a number.
    """

    def __init__(self, model: nn.Module, rejector: Rejector, threshold: float = 1.0) -> None:
        super().__init__()
        if threshold != threshold:  # noqa: PLR0124 (NaN)
            raise ValueError("a guard's threshold is a number, got NaN")
        self.model = model
        self.rejector = rejector
        self.threshold = float(threshold)

    def forward(self, image: Image) -> Outputs:
        """Return the outputs of the guarded model, unchanged."""
        return self.model(image)

    def decide(self, outputs: Outputs) -> Decision:
        """Judge outputs that are already there; a score that is not a number is rejected."""
        score = self.rejector.score(outputs)
        return Decision(outputs[self.rejector.main].argmax(1), ~(score < self.threshold), score)

    @torch.no_grad()
    def predict(self, image: Image) -> Int64[Tensor, " batch"]:
        """Return the main class of each image, or −1 where the guard rejects it.

        The model is used in the mode it is in; `eval()` belongs before the first call.
        """
        decision = self.decide(self.model(image))
        return torch.where(decision.rejected, REJECTED, decision.label)
