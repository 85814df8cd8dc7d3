"""Rejection rules: when the answers of the heads contradict each other."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, inf

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.tasks import Relation
from manyheads.types import Outputs, PerExample


@dataclass(frozen=True)
class Rejector(ABC):
    """A score of how much the heads contradict each other; an input is rejected where it reaches a threshold."""

    main: str

    @abstractmethod
    def score(self, outputs: Outputs) -> PerExample:
        """Return the contradiction of each example; higher is more suspicious."""

    @abstractmethod
    def conditions(self, outputs: Outputs, threshold: float) -> Float[Tensor, "batch classes conditions"]:
        """Return what must be above zero for the rejector to stay silent, if the main head answered each class.

        With that class leading, the score is below the threshold exactly where all of them are above zero; a tie
        between answers counts as not silent. An attacker who knows the rule raises exactly these; they are
        differentiable almost everywhere.
        """

    @abstractmethod
    def admissible(self, threshold: float) -> float:
        """Return the smallest meaningful threshold that is not below the given one."""


@dataclass(frozen=True)
class Disagreement(Rejector):
    """How many hidden heads contradict the main one: the answer of the main head, regrouped, is not theirs.

    A threshold of 1 rejects on any contradiction (the paper's rule), k on at least k, the number of hidden heads on
    all.

    Args:
        main: name of the main task.
        hidden: each hidden task's label map (or other relation to the main classes), by task name.

    Reference: Hyun & Park, IEEE Access 2024, eq. 8. Differs from it in: nothing at threshold 1.

    >>> from manyheads.tasks import LabelMap
    >>> rejector = Disagreement("digit", {"size": LabelMap(("small", "big"), (0, 0, 1))})
    >>> outputs = {"digit": torch.tensor([[0.0, 1.0, 0.0]]), "size": torch.tensor([[0.0, 2.0]])}
    >>> rejector.score(outputs)
    tensor([1.])
    """

    hidden: Mapping[str, Relation] = field(default_factory=dict)

    def score(self, outputs: Outputs) -> PerExample:
        """Count the contradictions."""
        answer = outputs[self.main].argmax(1)
        count = outputs[self.main].new_zeros(len(answer))
        for name, relation in self.hidden.items():
            compatible = relation.compatible.to(answer.device)
            count = count + (~compatible[answer, outputs[name].argmax(1)]).to(count)
        return count

    def conditions(self, outputs: Outputs, threshold: float) -> Float[Tensor, "batch classes conditions"]:
        """Return the leads of the compatible hidden answers that are needed to stay below the threshold."""
        main = outputs[self.main]
        if threshold > len(self.hidden):  # no count reaches it: nothing is needed
            return main.new_zeros(*main.shape, 0)
        if threshold <= 0:  # every count reaches it: nothing helps
            return main.new_full((*main.shape, 1), -1.0)
        leads = [_lead_of_compatible(outputs[name], relation) for name, relation in self.hidden.items()]
        needed = len(leads) - ceil(threshold) + 1
        return torch.stack(leads, dim=2).topk(needed, dim=2).values

    def admissible(self, threshold: float) -> float:
        """Round up to a whole number of contradictions, at least one."""
        return float(ceil(threshold)) if 1 < threshold < inf else max(1.0, threshold)


@dataclass(frozen=True)
class SoftDisagreement(Rejector):
    """Surprise at the heads agreeing: −log of the probability that independent draws from all heads are compatible.

    With p the main head's probabilities and Q_m(k) the probability that hidden head m gives an answer compatible with
    class k, the score is −log Σ_k p(k) Π_m Q_m(k), in nats.

    Args:
        main: name of the main task.
        hidden: each hidden task's label map (or other relation to the main classes), by task name.

    Reference: this project's own; the paper's rule is its limit for confident heads.
    """

    hidden: Mapping[str, Relation] = field(default_factory=dict)

    def score(self, outputs: Outputs) -> PerExample:
        """Return the surprise, zero or above."""
        joint = outputs[self.main].log_softmax(1)
        for name, relation in self.hidden.items():
            blocked = ~relation.compatible.to(joint.device)
            answers = outputs[name].log_softmax(1)[:, None, :].masked_fill(blocked, float("-inf"))
            joint = joint + answers.logsumexp(2)
        return -joint.logsumexp(1).clamp_max(0)

    def conditions(self, outputs: Outputs, threshold: float) -> Float[Tensor, "batch classes conditions"]:
        """Return how far the score stays below the threshold, the same for every class."""
        slack = threshold - self.score(outputs)
        return slack[:, None, None].expand(-1, outputs[self.main].shape[1], 1)

    def admissible(self, threshold: float) -> float:
        """Return it as it is."""
        return threshold


def _lead_of_compatible(scores: Float[Tensor, "batch groups"], relation: Relation) -> Float[Tensor, "batch classes"]:
    """Highest hidden score that goes with each main class, minus the highest that does not."""
    compatible = relation.compatible.to(scores.device)
    spread = scores[:, None, :].expand(-1, len(compatible), -1)
    with_it = spread.masked_fill(~compatible, float("-inf")).amax(2)
    against_it = spread.masked_fill(compatible, float("-inf")).amax(2)
    return with_it - against_it
