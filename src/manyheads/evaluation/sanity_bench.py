"""The bench of the sanity checks: attacks on the same examples, each run once, and what they leave."""

from dataclasses import dataclass, field, replace
from math import sqrt

import polars as pl
import torch
from torch import nn

from manyheads.attacks import PGD, Attack
from manyheads.attacks.derivative import differentiate
from manyheads.defences import beside
from manyheads.evaluation.check import percent
from manyheads.evaluation.evaluate import evaluate
from manyheads.tasks import CrossEntropy
from manyheads.threats import Budget, ThreatModel
from manyheads.types import Batch, PerExample


def has_answers(threat: ThreatModel, main: str) -> bool:
    """Tell whether a threat's main task has right answers, as a classification has."""
    return any(task.name == main and isinstance(task.loss, CrossEntropy) for task in threat.tasks)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """Runs attacks on the same examples, each attack once.

    Args:
        victim: a guard, or a model that maps images to a dict of outputs.
        threat: a threat on the main task of limited size.
        batches: the examples.
        main: name of the main task.
        steps: how many steps PGD takes where nothing else is said.
        seed: decides all random starts.
        done: what was run.
    """

    victim: nn.Module
    threat: ThreatModel
    batches: tuple[Batch, ...]
    main: str
    steps: int
    seed: int
    done: dict[tuple[Attack, Budget], pl.DataFrame] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Whether the main task has right answers, as a classification has; of other tasks losses are compared."""
        return has_answers(self.threat, self.main)

    def differentiable(self) -> bool:
        """Tell whether the loss has a gradient at all, be it zero."""
        batch = beside(self.threat.model, self.batches[0]) if self.batches else {}
        try:
            differentiate(self.threat.loss(batch), batch["image"])
        except ValueError:
            return False
        return True

    def left(self, attack: Attack, *, eps: float | None = None) -> PerExample:
        """Tell what an attack leaves of each example, in the order of their numbers.

        Of a classification that is 1 where the main head is right and 0 elsewhere, of other tasks minus the loss that
        the threat raises.

        Raises:
            ValueError: if the truth of no example is known.
        """
        table = self._run(attack, self._budget(eps))
        if not self.answers:
            return -table["loss_attacked"].to_torch()
        return (table[f"{self.main}.attacked"] == table[f"{self.main}.truth"]).cast(pl.Float64).to_torch()

    @property
    def unit(self) -> str:
        """What the numbers that `written` writes are."""
        return "right" if self.answers else "mean loss"

    def written(self, left: PerExample) -> str:
        """Write what an attack leaves: the share of right answers, or the mean loss."""
        return percent(int(left.sum()), of=len(left)) if self.answers else f"{-float(left.mean()):.3g}"

    def pgd(self, *, steps: int | None = None, eps: float | None = None) -> PGD:
        """Make PGD of so many steps in a budget of size eps; None for the usual ones."""
        count = steps or self.steps
        return PGD(steps=count, step_size=2.5 * self._budget(eps).eps / count)

    def chance(self) -> float:
        """Share of examples that a constant answer gets right, at best, or a guess."""
        truth = self._run(self.pgd(), self.threat.budget)[f"{self.main}.truth"]
        classes = next(task.channels for task in self.threat.tasks if task.name == self.main)
        commonest = int(torch.bincount(truth.to_torch()).max())
        return max(1 / classes, commonest / len(truth))

    def sizes(self) -> tuple[float, ...]:
        """List the eps of the curve: the threat's own, the one at which every image can be made grey, one between."""
        image = self.batches[0]["image"][:1]
        own, grey = self.threat.budget.eps, float(self.threat.budget.size(torch.full_like(image, 0.5)))
        return (own, sqrt(own * grey), grey) if own < grey else (own,)

    def _budget(self, eps: float | None) -> Budget:
        return self.threat.budget if eps is None else replace(self.threat.budget, eps=eps)

    def _run(self, attack: Attack, budget: Budget) -> pl.DataFrame:
        key = (attack, budget)
        if key not in self.done:
            threat = replace(self.threat, budget=budget)
            table = evaluate(self.victim, threat, attack, self.batches, seed=self.seed).table
            self.done[key] = table.drop_nulls(f"{self.main}.{'truth' if self.answers else 'clean_loss'}")
        if not len(self.done[key]):
            what = "class" if self.answers else "truth"
            raise ValueError(f"the {what} of no example is known for {self.main!r}; give examples that have one")
        return self.done[key]
