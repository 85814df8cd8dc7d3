"""The likelihood of evasion: a smooth objective for attackers who know the hidden heads and the rule."""

from dataclasses import dataclass

import torch

from manyheads.defences.adaptive import Evasive
from manyheads.tasks import UNKNOWN_CLASS
from manyheads.threats import Margin, Objective
from manyheads.types import Outputs, PerExample, Truth


@dataclass(frozen=True)
class EvasionLikelihood(Objective):
    """Log-probability that the guard passes a wrong answer on, if every head drew its answer.

    With p the main head's probabilities, y the true class and c_m(k) the conditions under which the rejector stays
    silent on an answer k, it is log Σ_{k≠y} p(k) Π_m σ(c_m(k)). For hidden heads with two groups the factor σ(c_m(k))
    is exactly the probability of the compatible group. Where `Evasive` climbs towards the nearest wrong class, this
    climbs towards all of them: against plainly trained models it is the stronger of the two.

    Args:
        evasion: what counts as success; its goal says which wrong classes count.

    Reference: this project's own; what cross-entropy is to the margin, this is to `Evasive`.
    """

    evasion: Evasive

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return the log-probability, zero or below; 0 where the true class is unknown."""
        rejector = self.evasion.rejector
        silent = torch.nn.functional.logsigmoid(rejector.conditions(outputs, self.evasion.threshold)).sum(2)
        passed = outputs[rejector.main].log_softmax(1) + silent
        seen, label = truth[rejector.main] != UNKNOWN_CLASS, truth[rejector.main].clamp_min(0)
        if isinstance(self.evasion.goal, Margin):
            return passed.scatter(1, label[:, None], float("-inf")).logsumexp(1).where(seen, 0)
        wanted = self.evasion.goal.aim(label, classes=passed.shape[1])
        return passed.gather(1, wanted[:, None])[:, 0].where(seen, 0)

    @property
    def success(self) -> Objective:
        """The evasion itself."""
        return self.evasion
