"""The verdict: what hidden tasks were claimed to add, what of it stands, and which sanity checks failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from manyheads.evaluation import CLEAN, WORST
from manyheads.reports.checklist import Checklist
from manyheads.reports.measures import POINTS
from manyheads.reports.results import budget_label
from manyheads.threats.knowledge import ADAPTIVE, GRAY, WHITE

Tone = Literal["good", "bad", "held"]
"""A gain stands; nothing of it stands, or the numbers cannot be believed; nobody can tell."""


_Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A few sentences on one model.

    Args:
        title: the model.
        claimed: what the gray-box numbers say.
        stands: what is left of it.
        checks: how the sanity checks came out.
        failed: every failed check, with its figures.
        tone: how the page colours it.
    """

    title: str
    claimed: str
    stands: str
    checks: str
    failed: tuple[str, ...] = ()
    tone: Tone = "held"

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, as plain lines."""
        return (self.claimed, self.stands, self.checks, *(f"✗ {line}" for line in self.failed))


def reach_verdicts(gains: pl.DataFrame, checks: Checklist, *, models: Sequence[str]) -> tuple[Verdict, ...]:
    """Say of each model what was claimed and what stands.

    The attack is, of those of limited size where there are any, the one whose worst threat leaves the model least. A
    gain stands where its interval lies above zero under the worst threat of each example.

    Args:
        gains: as `manyheads.evaluation.gains` makes them; empty where there is no model to compare with.
        checks: the sanity checks of the models that have any.
        models: whom to speak of.
    """
    return tuple(_verdict(gains.filter(model=model), checks, model=model) for model in models)


def points(row: Mapping[str, Any]) -> str:
    """Write a gain in percentage points with its interval.

    >>> points({"gain": 0.104, "low": 0.081, "high": 0.127})
    '+10.4 points (+8.1 to +12.7)'
    """
    gain, low, high = (POINTS.write(row[name]) for name in ("gain", "low", "high"))
    return f"{gain} points ({low} to {high})"


def _verdict(gains: pl.DataFrame, checks: Checklist, *, model: str) -> Verdict:
    tested, failed = _tested(checks, model)
    rows = _deciding(gains)
    if GRAY not in rows:
        claimed = "No gain is claimed: no model of the same training without hidden tasks was measured beside it."
        return Verdict(title=model, claimed=claimed, stands="", checks=tested, failed=failed, tone=_tone(None, failed))
    gray = rows[GRAY]
    attack = f"{gray['attack']} ({budget_label(norm=gray['norm'], eps=gray['eps'])})"
    claimed = (
        f"Claimed: under {attack}, gray-box, {points(gray)} of images right or rejected, {_kept(gray)} of the same "
        f"training without hidden tasks; n = {gray['n']}, {_seeds(gray)}, paired."
    )
    stands, tone = _what_stands(rows)
    if CLEAN in rows:
        stands += f" On clean images, right and accepted: {points(rows[CLEAN])}."
    return Verdict(title=model, claimed=claimed, stands=stands, checks=tested, failed=failed, tone=_tone(tone, failed))


def _deciding(gains: pl.DataFrame) -> dict[str, _Row]:
    """Choose the attack that is spoken of, and give its rows by threat."""
    limited = gains.filter(pl.col("eps").is_finite())
    of_all = (limited if len(limited) else gains).filter(threat=WORST)
    if not len(of_all):
        return {}
    worst = min(of_all.iter_rows(named=True), key=lambda row: row["kept"])
    rows = gains.filter(**{name: worst[name] for name in ("attack", "eps", "norm")})
    return {row["threat"]: row for row in rows.iter_rows(named=True)}


def _what_stands(rows: Mapping[str, _Row]) -> tuple[str, Tone]:
    """Word what is left once the attacker knows the hidden heads and the rule."""
    told = [f"{threat} {points(rows[threat])}" for threat in (WHITE, ADAPTIVE) if threat in rows]
    if ADAPTIVE not in rows:
        return "Not tested: no attacker who knows the hidden heads and the rule was tried. " + _listed(told), "held"
    worst = rows[WORST]
    verb, tone = ("Stands", "good") if worst["low"] > 0 else ("Worse than without", "bad")
    if tone == "good" and CLEAN in rows and rows[CLEAN]["gain"] < -worst["gain"]:
        verb, tone = "Stands under attack, but costs more than that on clean images", "held"
    if worst["low"] <= 0 <= worst["high"]:
        verb, tone = "Nothing stands that could be told from chance", "bad"
    summary = f"{verb}: by the worst threat for each image {points(worst)}, {_kept(worst)}."
    return f"{summary} {_listed(told)}".strip(), tone


def _listed(told: Sequence[str]) -> str:
    return f"By threat: {', '.join(told)}." if told else ""


def _kept(row: _Row) -> str:
    return f"{100 * row['kept']:.1f} % against {100 * row['kept_baseline']:.1f} %"


def _seeds(row: _Row) -> str:
    return f"{row['seeds']} seed{'s' * (row['seeds'] > 1)}"


def _tested(checks: Checklist, model: str) -> tuple[str, tuple[str, ...]]:
    """Word how the checks came out, and list those that failed."""
    if model not in checks.models:
        return "Sanity checks were not run.", ()
    failed, counts = checks.failed(model), checks.counts(model)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count or outcome == "failed")
    belief = " Do not believe its numbers before you know why." if failed else ""
    return f"Sanity checks: {listed}.{belief}", failed


def _tone(tone: Tone | None, failed: tuple[str, ...]) -> Tone:
    return "bad" if failed else tone or "held"
