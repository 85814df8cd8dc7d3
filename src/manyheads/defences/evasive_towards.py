"""Evasion towards classes that were chosen for each example beforehand."""

from dataclasses import dataclass

from manyheads.defences.adaptive import Evasive, standing_of
from manyheads.threats import Constrained, Objective, Standing
from manyheads.types import Outputs, PerExample, Truth

TOWARDS = "evade towards"
"""Under this name the chosen class of each example is noted beside the truth; no task has a blank in its name."""


@dataclass(frozen=True)
class EvasiveTowards(Constrained):
    """Get one noted class of each example through, with the hidden answers that go with it.

    Args:
        evasion: what counts as success: its rule, its threshold, and its goal, which may be any wrong class.
    """

    evasion: Evasive

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        """Return how nearly each example gets its class through."""
        return self.evasion.reached(outputs).gather(1, truth[TOWARDS][:, None])[:, 0]

    def standing(self, outputs: Outputs, truth: Truth) -> Standing:
        """Return the class's lead, what is missing for the rejector to stay silent on it, and the worth."""
        return standing_of(self.evasion, outputs, wanted=truth[TOWARDS], worth=self(outputs, truth))

    @property
    def success(self) -> Objective:
        """The evasion itself."""
        return self.evasion
