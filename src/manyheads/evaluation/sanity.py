"""Sanity checks: whether the robustness that was measured is there, or the gradients are masked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf, sqrt

import polars as pl
import torch
from torch import nn

from manyheads.attacks import FGSM, PGD, Attack, Restarts
from manyheads.attacks.derivative import differentiate
from manyheads.defences import Guard, beside
from manyheads.evaluation.check import ONE_SIDED, SURE, Check, check_table, judged, percent
from manyheads.evaluation.evaluate import attacked_task, evaluate
from manyheads.evaluation.facts import Facts
from manyheads.evaluation.intervals import wilson
from manyheads.evaluation.paired import duel
from manyheads.evaluation.sanity_gradient import SETTLED, UPHILL, VANISHING, gradient_checks, randomness_check
from manyheads.evaluation.sanity_order import ORDERS, order_checks
from manyheads.threats import Budget, ThreatModel
from manyheads.types import Batch, PerExample

ITERATIVE = "iterative ≤ single step"
"""Name of a check."""

STEPS, RESTARTS = "more steps do not help the defender", "more restarts do not help the defender"
"""Names of two checks."""

FALLING, QUERIES = "accuracy falls to chance as eps grows", "a query attack is not stronger than a gradient attack"
"""Names of two checks."""

_CLIMBING = (ITERATIVE, STEPS, RESTARTS, FALLING, QUERIES)

CHECKS = (VANISHING, UPHILL, *_CLIMBING, *ORDERS, SETTLED)
"""Names of all checks, in the order of the table."""

_MORE = 4
"""How many times as many steps, or starts, the check of more of them takes."""


def sanity_checks(
    victim: nn.Module,
    threat: ThreatModel,
    batches: Sequence[Batch],
    *,
    facts: Facts | None = None,
    query: Attack | None = None,
    steps: int = 10,
    seed: int = 0,
) -> pl.DataFrame:
    """Check whether an evaluation can be believed: one row per check, with `check`, `outcome`, `figures` and `n`.

    The outcome is `passed`, `failed` or `not applicable`. Compared are attacks on the same examples; a check fails only
    where chance alone would look that bad in less than one case in a hundred. So few examples find only coarse faults,
    and what passes is not proven. All attacks but `query` are PGD, whose step is 2.5 eps / steps.

    Args:
        victim: a guard, or a model that maps images to a dict of outputs; its rejections play no part here.
        threat: a threat on the main head of limited size, whose model's gradients the attacks follow.
        batches: the examples; a few dozen will do.
        facts: what untargeted attacks by several threats made of the victim, to compare them; None for none.
        query: an attack that asks for no gradient, such as `Square`; None for none.
        steps: how many steps PGD takes.
        seed: decides all random starts.

    Raises:
        ValueError: if the threat's budget has no limit, there is no example whose class is known, or an attack fails.
    """
    if not 0 < threat.budget.eps < inf:
        raise ValueError(f"the checks need a budget of limited size above zero, got {threat.budget}")
    main = victim.rejector.main if isinstance(victim, Guard) else attacked_task(threat)
    bench = _Bench(victim=victim, threat=threat, batches=tuple(batches), main=main, steps=steps, seed=seed)
    vanishing, uphill = gradient_checks(threat, bench.batches, main=main, seed=seed)
    climbing = [Check(name, "not applicable", "the loss has no gradient", 0) for name in _CLIMBING]
    if bench.differentiable():
        climbing = [_iterative(bench), _more_steps(bench), _more_restarts(bench), _falling(bench)]
        climbing.append(_queries(bench, query))
    settled = randomness_check(victim, threat, bench.batches, main=main)
    return check_table([vanishing, uphill, *climbing, *order_checks(facts), settled])


def unchecked(reason: str) -> pl.DataFrame:
    """Tabulate all checks as not applicable, for one reason."""
    return check_table([Check(name, "not applicable", reason, 0) for name in CHECKS])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    """Runs attacks on the same examples, each attack once."""

    victim: nn.Module
    threat: ThreatModel
    batches: tuple[Batch, ...]
    main: str
    steps: int
    seed: int
    done: dict[tuple[Attack, Budget], pl.DataFrame] = field(default_factory=dict)

    def differentiable(self) -> bool:
        """Tell whether the loss has a gradient at all, be it zero."""
        batch = beside(self.threat.model, self.batches[0]) if self.batches else {}
        try:
            differentiate(self.threat.loss(batch), batch["image"])
        except ValueError:
            return False
        return True

    def right(self, attack: Attack, *, eps: float | None = None) -> PerExample:
        """Tell which examples the main head gets right under an attack: 1 or 0, in the order of their numbers."""
        table = self._run(attack, self._budget(eps))
        return (table[f"{self.main}.attacked"] == table[f"{self.main}.truth"]).cast(pl.Float64).to_torch()

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
            self.done[key] = table.drop_nulls(f"{self.main}.truth")
        if not len(self.done[key]):
            raise ValueError(f"the class of no example is known for {self.main!r}; give examples that have one")
        return self.done[key]


def _no_stronger(bench: _Bench, attack: Attack, *, check: str, than: PerExample, names: tuple[str, str]) -> Check:
    """Check that an attack does not leave fewer examples right than another; the names are theirs, its own first."""
    own = bench.right(attack)
    split = duel(than - own)
    return judged(passed=split.p_more >= SURE, check=check, figures=_versus((own, than), names=names), n=split.n)


def _versus(results: tuple[PerExample, PerExample], *, names: tuple[str, str]) -> str:
    shares = (f"{name} {percent(int(one.sum()), of=len(one))}" for name, one in zip(names, results, strict=True))
    return "right: " + ", ".join(shares)


def _iterative(bench: _Bench) -> Check:
    names = ("FGSM", f"PGD-{bench.steps}")
    return _no_stronger(bench, FGSM(), check=ITERATIVE, than=bench.right(bench.pgd()), names=names)


def _more_steps(bench: _Bench) -> Check:
    more = PGD(steps=_MORE * bench.steps, step_size=bench.pgd().step_size)
    names = (f"PGD-{bench.steps}", f"PGD-{more.steps}")
    return _no_stronger(bench, bench.pgd(), check=STEPS, than=bench.right(more), names=names)


def _more_restarts(bench: _Bench) -> Check:
    names = ("one start", f"{_MORE} starts")
    more = bench.right(Restarts(bench.pgd(), times=_MORE))
    return _no_stronger(bench, bench.pgd(), check=RESTARTS, than=more, names=names)


def _falling(bench: _Bench) -> Check:
    """Check that accuracy falls with eps, and to chance where every image can be made the same grey one."""
    sizes = bench.sizes()
    found = [bench.right(bench.pgd(eps=eps), eps=eps) for eps in sizes]
    n, chance, left = len(found[-1]), bench.chance(), int(found[-1].sum())
    rises = [duel(later - sooner).p_more < SURE for sooner, later in pairwise(found)]
    figures = ", ".join(f"{percent(int(one.sum()), of=n)} at {eps:.3g}" for eps, one in zip(sizes, found, strict=True))
    fallen = wilson(left, trials=n, z=ONE_SIDED)[0] <= chance
    return judged(
        passed=fallen and not any(rises), check=FALLING, figures=f"right: {figures}; chance {chance:.3g}", n=n
    )


def _queries(bench: _Bench, query: Attack | None) -> Check:
    """Check a query attack against the worst that steps and restarts of PGD did."""
    if query is None:
        return Check(QUERIES, "not applicable", "no query attack was given", 0)
    more = PGD(steps=_MORE * bench.steps, step_size=bench.pgd().step_size)
    runs = [bench.right(attack) for attack in (bench.pgd(), more, Restarts(bench.pgd(), times=_MORE))]
    gradient = torch.stack(runs).amin(0)
    own = bench.right(query)
    split = duel(gradient - own)
    named = type(getattr(query, "attack", query)).__name__
    figures = _versus((own, gradient), names=(named, "PGD at its best"))
    return judged(passed=split.p_more >= SURE, check=QUERIES, figures=figures, n=split.n)
