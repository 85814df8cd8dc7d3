"""Sanity checks of threats side by side: an attacker who knows more does not do worse."""

import polars as pl

from manyheads.evaluation.check import SURE, Check, judged
from manyheads.evaluation.facts import Facts
from manyheads.evaluation.paired import duel
from manyheads.threats.knowledge import ADAPTIVE, GRAY, NOISE, TRANSFER, WHITE

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


def _order(facts: Facts | None, stronger: str, *, weaker: str) -> Check:
    """Compare two threats under every attack that both ran; the figures are those of the worst."""
    check = order_name(stronger, weaker=weaker)
    table = facts.table.filter(pl.col("threat").is_in([stronger, weaker])) if facts is not None else pl.DataFrame()
    challenges = table.group_by("attack", "eps", "norm", maintain_order=True) if len(table) else ()
    found = []
    for (attack, eps, _), part in challenges:
        first, second = (_left(facts, part.filter(threat=threat), measure=stronger) for threat in (stronger, weaker))
        both = first.join(second, on="index", suffix="_weaker")
        if len(both):
            left, other = (both[name].to_torch() for name in ("left", "left_weaker"))
            split = duel(left - other)
            means = [f"{100 * float(one.mean()):.3g} %" for one in (left, other)]
            figures = f"{_MEASURES[stronger]}: {stronger} {means[0]}, {weaker} {means[1]} ({attack}, eps {eps:.4g})"
            found.append((split.p_more, figures, len(both)))
    if not found:
        return Check(check, "not applicable", f"no attack was run by both, {stronger} and {weaker}", 0)
    chance, figures, n = min(found, key=lambda one: one[0])
    return judged(passed=chance * len(found) >= SURE, check=check, figures=figures, n=n)


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
