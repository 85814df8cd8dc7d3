"""Sanity checks of threats side by side: an attacker who knows more, or wants just this, does not do worse."""

from collections.abc import Callable

import polars as pl

from manyheads.evaluation.check import SURE, Check, judged
from manyheads.evaluation.facts import Facts
from manyheads.evaluation.paired import duel
from manyheads.threats.knowledge import ADAPTIVE, GRAY, MULTI_TASK, NOISE, SINGLE_TASK, TRANSFER, WHITE
from manyheads.types import PerExample

_PAIRS = ((ADAPTIVE, GRAY), (WHITE, GRAY), (GRAY, TRANSFER), (TRANSFER, NOISE))
"""Who ought to do at least as much harm as whom."""

_MEASURES = {
    ADAPTIVE: "right or rejected",
    WHITE: "right answers of all heads",
    GRAY: "right answers",
    TRANSFER: "right answers",
}
"""What the better informed one of a pair is after, and the pair is compared by."""


def order_name(stronger: str, *, weaker: str) -> str:
    """Name of the check that one threat does at least as much harm as another."""
    return f"{stronger} ≤ {weaker}"


ORDERS = tuple(order_name(stronger, weaker=weaker) for stronger, weaker in _PAIRS)
"""Names of these checks."""

_GOALS = {SINGLE_TASK: "the main task's loss", MULTI_TASK: "the sum of all losses"}
"""What each attacker of dense models raises."""

DENSE_ORDERS = tuple(f"{threat} raises {goal} most" for threat, goal in _GOALS.items())
"""Names of the checks that each attacker of dense models is best at what it wants."""


def order_checks(facts: Facts | None) -> tuple[Check, ...]:
    """Check, on the same examples, that white-box ≤ gray-box ≤ transfer ≤ noise and that adaptive ≤ gray-box.

    Compared is what the better informed attacker is after: right or rejected images for the adaptive one, the number
    of heads that are right for the white-box one, right answers of the main head for the others. A check fails where
    the one who knows more leaves more, in any attack, beyond chance (one-sided exact sign test at 0.01, shared out
    among the attacks).

    Args:
        facts: of one victim under untargeted attacks; None for none.
    """
    return tuple(_order(facts, stronger, weaker=weaker) for stronger, weaker in _PAIRS)


def dense_order_checks(facts: Facts | None) -> tuple[Check, ...]:
    """Check, on the same examples, that an attacker of dense models raises what it wants at least as much as the other.

    That is the main task's loss for the single-task attacker, and the sum of all tasks' losses for the multi-task one.

    Args:
        facts: of one victim; None for none.
    """
    return (
        _compared(facts, DENSE_ORDERS[0], (SINGLE_TASK, MULTI_TASK), left=_main_loss, written=_told_loss),
        _compared(facts, DENSE_ORDERS[1], (MULTI_TASK, SINGLE_TASK), left=_all_losses, written=_told_loss),
    )


def _order(facts: Facts | None, stronger: str, *, weaker: str) -> Check:
    """Compare two threats to a classifier by what the stronger is after."""
    return _compared(
        facts,
        order_name(stronger, weaker=weaker),
        (stronger, weaker),
        left=lambda part: _left(facts, part, measure=stronger),
        written=lambda one, other: (
            f"{_MEASURES[stronger]}: {stronger} {100 * float(one.mean()):.3g} %, "
            f"{weaker} {100 * float(other.mean()):.3g} %"
        ),
    )


def _compared(
    facts: Facts | None,
    check: str,
    threats: tuple[str, str],
    *,
    left: Callable[[pl.DataFrame], pl.DataFrame],
    written: Callable[[PerExample, PerExample], str],
) -> Check:
    """Compare two threats under every attack that both ran; the figures are those of the worst."""
    table = facts.table.filter(pl.col("threat").is_in(threats)) if facts is not None else pl.DataFrame()
    challenges = table.group_by("attack", "eps", "norm", maintain_order=True) if len(table) else ()
    found = []
    for (attack, eps, _), part in challenges:
        first, second = (left(part.filter(threat=threat)) for threat in threats)
        both = first.join(second, on="index", suffix="_weaker")
        if len(both):
            one, other = (both[name].to_torch() for name in ("left", "left_weaker"))
            split = duel(one - other)
            found.append((split.p_more, f"{written(one, other)} ({attack}, eps {eps:.4g})", len(both)))
    if not found:
        return Check(check, "not applicable", f"no attack was run by both, {' and '.join(threats)}", 0)
    chance, figures, n = min(found, key=lambda one: one[0])
    return judged(passed=chance * len(found) >= SURE, check=check, figures=figures, n=n)


def _told_loss(one: PerExample, other: PerExample) -> str:
    return f"mean loss: {-float(one.mean()):.3g}, the other's {-float(other.mean()):.3g}"


def _main_loss(part: pl.DataFrame) -> pl.DataFrame:
    """Give minus the main task's loss of each example whose truth is known."""
    column = f"{part['main'][0]}.attacked_loss" if len(part) else ""
    return _lost(part, [column] if column in part.columns else [])


def _all_losses(part: pl.DataFrame) -> pl.DataFrame:
    """Give minus the sum of all tasks' losses of each example, a task without truth counting nothing."""
    return _lost(part, [name for name in part.columns if name.endswith(".attacked_loss")])


def _lost(part: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    if not columns or not len(part):
        return pl.DataFrame(schema={"index": pl.Int64, "left": pl.Float64})
    left = part.select("index", left=-pl.sum_horizontal(columns, ignore_nulls=len(columns) > 1))
    return left.drop_nulls()


def _left(facts: Facts | None, part: pl.DataFrame, *, measure: str) -> pl.DataFrame:
    """Say how much of each example one threat leaves, between 0 and 1."""
    main = part["main"][0] if len(part) else ""
    names = facts.classified if facts is not None and measure == WHITE else (main,)
    heads = [name for name in names if f"{name}.truth" in part.columns and part[f"{name}.truth"].count()]
    right = [(pl.col(f"{name}.attacked") == pl.col(f"{name}.truth")).cast(pl.Float64) for name in heads]
    if not right:
        return pl.DataFrame(schema={"index": pl.Int64, "left": pl.Float64})
    left = pl.mean_horizontal(right)
    if measure == ADAPTIVE:
        left = pl.max_horizontal(left, pl.col("rejected_attacked").cast(pl.Float64))
    return part.drop_nulls([f"{name}.truth" for name in heads]).select("index", left.alias("left"))
