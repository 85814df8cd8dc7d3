"""The verdict in words, on gains by hand."""

import polars as pl
import pytest

from manyheads.reports import Verdict, checklist, reach_verdicts

CHECKED = checklist(
    {
        "m": pl.DataFrame(
            [("slope", "passed", "0 %", 32), ("noise", "not applicable", "none", 0)],
            schema=["check", "outcome", "figures", "n"],
            orient="row",
        ),
        "bad": pl.DataFrame(
            [("slope", "failed", "vanished: 90 %", 32)], schema=["check", "outcome", "figures", "n"], orient="row"
        ),
    }
)


def rows(*, attack: str = "pgd", eps: float = 0.3, model: str = "m", kept: float = 0.3, **gains: tuple) -> pl.DataFrame:
    """Gains (value, low, high) by threat, with `_` for blanks and hyphens."""
    names = {"gray": "gray-box", "white": "white-box", "worst": "worst of all"}
    return pl.DataFrame(
        [
            {
                "model": model, "baseline": "b", "attack": attack, "eps": eps, "norm": "Linf",
                "threat": names.get(threat, threat), "gain": gain[0], "low": gain[1], "high": gain[2], "p_value": 0.5,
                "kept": kept, "kept_baseline": kept - gain[0], "n": 200, "seeds": 2,
            }
            for threat, gain in gains.items()
        ]
    )  # fmt: skip


def verdict(gains: pl.DataFrame, model: str = "m") -> Verdict:
    (made,) = reach_verdicts(gains, CHECKED, models=[model])
    return made


GRAY = {"gray": (0.104, 0.081, 0.127)}


def test_a_gain_that_stands() -> None:
    made = verdict(rows(clean=(-0.02, -0.03, -0.01), **GRAY, white=(0.09, 0.05, 0.1), adaptive=(0.06, 0.03, 0.09),
                        worst=(0.05, 0.02, 0.08)))  # fmt: skip
    assert made.title == "m"
    assert made.claimed == (
        "Claimed: under pgd (L∞ 0.3), gray-box, +10.4 points (+8.1 to +12.7) of images right or rejected, 30.0 % "
        "against 19.6 % of the same training without hidden tasks; n = 200, 2 seeds, paired."
    )
    assert made.stands == (
        "Stands: by the worst threat for each image +5.0 points (+2.0 to +8.0), 30.0 % against 25.0 %. "
        "By threat: white-box +9.0 points (+5.0 to +10.0), adaptive +6.0 points (+3.0 to +9.0). "
        "On clean images, right and accepted: -2.0 points (-3.0 to -1.0)."
    )
    assert (made.checks, made.failed, made.tone) == (
        "Sanity checks: 1 passed, 0 failed, 1 not applicable.",
        (),
        "good",
    )


@pytest.mark.parametrize(
    ("worst", "words"),
    [
        ((0.01, -0.01, 0.03), "Nothing stands that could be told from chance: "),
        ((0.01, 0.0, 0.03), "Nothing stands that could be told from chance: "),
        ((-0.05, -0.08, -0.01), "Worse than without: "),
    ],
)
def test_a_gain_that_does_not(worst: tuple[float, float, float], words: str) -> None:
    made = verdict(rows(**GRAY, adaptive=(0.0, -0.02, 0.02), worst=worst))
    assert made.stands.startswith(words)
    assert made.tone == "bad"


@pytest.mark.parametrize(("clean", "tone"), [(-0.04, "good"), (-0.06, "held")])
def test_a_gain_that_costs_more_than_it_brings(clean: float, tone: str) -> None:
    found = {**GRAY, "adaptive": (0.05, 0.02, 0.08), "worst": (0.05, 0.02, 0.08)}
    made = verdict(rows(clean=(clean, clean - 0.01, clean + 0.01), **found))
    assert made.tone == tone
    assert made.stands.startswith("Stands under attack, but costs more") == (tone == "held")


def test_a_gain_that_nobody_tested() -> None:
    made = verdict(rows(**GRAY, worst=GRAY["gray"]))
    assert made.stands.startswith("Not tested: no attacker who knows the hidden heads and the rule was tried.")
    assert made.tone == "held"


def test_without_a_baseline_nothing_is_claimed() -> None:
    made = verdict(rows(**GRAY).clear())
    assert made.claimed.startswith("No gain is claimed: no model of the same training without hidden tasks")
    assert (made.stands, made.tone) == ("", "held")


def test_a_failed_check_takes_the_belief_away() -> None:
    made = verdict(rows(model="bad", **GRAY, adaptive=(0.1, 0.05, 0.2), worst=(0.1, 0.05, 0.2)), model="bad")
    assert made.stands.startswith("Stands: ")
    assert made.tone == "bad"
    assert made.checks == "Sanity checks: 1 failed. Do not believe its numbers before you know why."
    assert made.failed == ("slope: vanished: 90 % (n = 32)",)
    assert made.lines[-1] == "✗ slope: vanished: 90 % (n = 32)"


def test_a_model_without_checks_says_so() -> None:
    assert verdict(rows(model="x", **GRAY), model="x").checks == "Sanity checks were not run."


def test_the_limited_attack_that_leaves_least_decides() -> None:
    found = {**GRAY, "adaptive": (0.0, -0.1, 0.1), "worst": (0.0, -0.1, 0.1)}
    several = [
        rows(attack="weak", kept=0.8, **found),
        rows(attack="strong", kept=0.4, **found),
        rows(attack="unlimited", eps=float("inf"), kept=0.1, **found),
    ]
    assert "under strong (L∞ 0.3)" in verdict(pl.concat(several)).claimed
    assert "under unlimited (L∞ unbounded)" in verdict(several[2]).claimed
