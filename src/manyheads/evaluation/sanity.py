"""Sanity checks: whether the robustness that was measured is there, or the gradients are masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import polars as pl
import torch
from torch import nn

from manyheads.attacks import FGSM, PGD, Attack, Loss, Noise, Restarts
from manyheads.defences import Guard
from manyheads.evaluation.check import ONE_SIDED, SURE, Check, check_table, judged
from manyheads.evaluation.evaluate import attacked_task
from manyheads.evaluation.facts import Facts
from manyheads.evaluation.intervals import wilson
from manyheads.evaluation.paired import duel
from manyheads.evaluation.sanity_bench import Bench
from manyheads.evaluation.sanity_gradient import SETTLED, UPHILL, VANISHING, gradient_checks, randomness_check
from manyheads.evaluation.sanity_order import DENSE_ORDERS, ORDERS, dense_order_checks, order_checks
from manyheads.randomness import Streams
from manyheads.threats import Budget, ThreatModel
from manyheads.types import Batch, Image, PerExample

ITERATIVE, BEYOND_NOISE = "iterative ≤ single step", "iterative ≤ noise"
"""Names of two checks; the latter is of losses alone, where classifications have the order of threats."""

STEPS, RESTARTS = "more steps do not help the defender", "more restarts do not help the defender"
"""Names of two checks."""

FALLING, RISING = "accuracy falls to chance as eps grows", "the loss rises beyond a grey image's as eps grows"
"""Names of two checks, of right answers and of losses."""

QUERIES = "a query attack is not stronger than a gradient attack"
"""Name of a check."""

_CLIMBING = (ITERATIVE, STEPS, RESTARTS, FALLING, QUERIES)
_CLIMBING_LOSS = (ITERATIVE, BEYOND_NOISE, STEPS, RESTARTS, RISING, QUERIES)

CHECKS = (VANISHING, UPHILL, *_CLIMBING, *ORDERS, SETTLED)
"""Names of all checks of a classification, in the order of the table."""

DENSE_CHECKS = (VANISHING, UPHILL, *_CLIMBING_LOSS, *DENSE_ORDERS, SETTLED)
"""Names of all checks of a model whose main task is no classification."""

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

    Where the main task is a classification, right answers are compared (`CHECKS`); of any other task, each example's
    loss as the threat raises it (`DENSE_CHECKS`).

    Args:
        victim: a guard, or a model that maps images to a dict of outputs; its rejections play no part here.
        threat: a threat on the main task of limited size, whose model's gradients the attacks follow.
        batches: the examples; a few dozen will do.
        facts: what untargeted attacks by several threats made of the victim, to compare them; None for none.
        query: an attack that asks for no gradient, such as `Square`; None for none.
        steps: how many steps PGD takes.
        seed: decides all random starts.

    Raises:
        ValueError: if the threat's budget has no limit, there is no example whose truth is known, or an attack fails.
    """
    if not 0 < threat.budget.eps < inf:
        raise ValueError(f"the checks need a budget of limited size above zero, got {threat.budget}")
    main = victim.rejector.main if isinstance(victim, Guard) else attacked_task(threat)
    bench = Bench(victim=victim, threat=threat, batches=tuple(batches), main=main, steps=steps, seed=seed)
    vanishing, uphill = gradient_checks(threat, bench.batches, main=main, seed=seed)
    climbing = _climb(bench, query)
    orders = order_checks(facts) if bench.answers else dense_order_checks(facts)
    settled = randomness_check(victim, threat, bench.batches, main=main)
    return check_table([vanishing, uphill, *climbing, *orders, settled])


def unchecked(reason: str, *, checks: Sequence[str] = CHECKS) -> pl.DataFrame:
    """Tabulate all checks as not applicable, for one reason.

    Args:
        reason: why none could be carried out.
        checks: their names.
    """
    return check_table([Check(name, "not applicable", reason, 0) for name in checks])


@dataclass(frozen=True)
class _Greyed(Attack):
    """Make every image the same grey one, which is allowed once the budget is large enough."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (nothing is sought)
        return budget.project(torch.full_like(clean, 0.5), clean)


def _climb(bench: Bench, query: Attack | None) -> list[Check]:
    """Carry out the checks that need a gradient."""
    if not bench.differentiable():
        names = _CLIMBING if bench.answers else _CLIMBING_LOSS
        return [Check(name, "not applicable", "the loss has no gradient", 0) for name in names]
    noisy = [] if bench.answers else [_beyond_noise(bench)]
    more = (_more_steps(bench), _more_restarts(bench), _falling(bench), _queries(bench, query))
    return [_iterative(bench), *noisy, *more]


def _no_stronger(bench: Bench, attack: Attack, *, check: str, than: PerExample, names: tuple[str, str]) -> Check:
    """Check that an attack does not leave less than another; the names are theirs, its own first."""
    own = bench.left(attack)
    split = duel(than - own)
    return judged(passed=split.p_more >= SURE, check=check, figures=_versus(bench, (own, than), names=names), n=split.n)


def _versus(bench: Bench, results: tuple[PerExample, PerExample], *, names: tuple[str, str]) -> str:
    shares = (f"{name} {bench.written(one)}" for name, one in zip(names, results, strict=True))
    return f"{bench.unit}: " + ", ".join(shares)


def _iterative(bench: Bench) -> Check:
    names = ("FGSM", f"PGD-{bench.steps}")
    return _no_stronger(bench, FGSM(), check=ITERATIVE, than=bench.left(bench.pgd()), names=names)


def _beyond_noise(bench: Bench) -> Check:
    names = ("noise", f"PGD-{bench.steps}")
    return _no_stronger(bench, Noise(), check=BEYOND_NOISE, than=bench.left(bench.pgd()), names=names)


def _more_steps(bench: Bench) -> Check:
    more = PGD(steps=_MORE * bench.steps, step_size=bench.pgd().step_size)
    names = (f"PGD-{bench.steps}", f"PGD-{more.steps}")
    return _no_stronger(bench, bench.pgd(), check=STEPS, than=bench.left(more), names=names)


def _more_restarts(bench: Bench) -> Check:
    names = ("one start", f"{_MORE} starts")
    more = bench.left(Restarts(bench.pgd(), times=_MORE))
    return _no_stronger(bench, bench.pgd(), check=RESTARTS, than=more, names=names)


def _falling(bench: Bench) -> Check:
    """Check that accuracy falls with eps, and to chance where every image can be made the same grey one.

    Where losses are compared: that they rise, and at least to that of the grey image.
    """
    sizes = bench.sizes()
    found = [bench.left(bench.pgd(eps=eps), eps=eps) for eps in sizes]
    rises = [duel(later - sooner).p_more < SURE for sooner, later in pairwise(found)]
    figures = ", ".join(f"{bench.written(one)} at {eps:.3g}" for eps, one in zip(sizes, found, strict=True))
    last, n = found[-1], len(found[-1])
    if bench.answers:
        chance = bench.chance()
        fallen = wilson(int(last.sum()), trials=n, z=ONE_SIDED)[0] <= chance
        check, end = FALLING, f"chance {chance:.3g}"
    else:
        grey = bench.left(_Greyed(), eps=sizes[-1])
        fallen = duel(last - grey).p_more >= SURE
        check, end = RISING, f"all grey {bench.written(grey)}"
    return judged(passed=fallen and not any(rises), check=check, figures=f"{bench.unit}: {figures}; {end}", n=n)


def _queries(bench: Bench, query: Attack | None) -> Check:
    """Check a query attack against the worst that steps and restarts of PGD did."""
    if query is None:
        return Check(QUERIES, "not applicable", "no query attack was given", 0)
    more = PGD(steps=_MORE * bench.steps, step_size=bench.pgd().step_size)
    runs = [bench.left(attack) for attack in (bench.pgd(), more, Restarts(bench.pgd(), times=_MORE))]
    gradient = torch.stack(runs).amin(0)
    own = bench.left(query)
    split = duel(gradient - own)
    named = type(getattr(query, "attack", query)).__name__
    figures = _versus(bench, (own, gradient), names=(named, "PGD at its best"))
    return judged(passed=split.p_more >= SURE, check=QUERIES, figures=figures, n=split.n)
