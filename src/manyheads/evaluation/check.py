"""What a sanity check found: passed, failed or not applicable, with its figures."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import polars as pl

Outcome = Literal["passed", "failed", "not applicable"]
"""What may come of a check."""

SURE = 0.01
"""A check fails where chance alone would look that bad less often than this."""

ONE_SIDED = 2.326347874040841
"""The normal quantile of `SURE`."""

_SCHEMA = {"check": pl.String, "outcome": pl.String, "figures": pl.String, "n": pl.Int64}


@dataclass(frozen=True)
class Check:
    """One line of a list of checks.

    Args:
        check: what ought to be so.
        outcome: whether it is.
        figures: the numbers that say so, or why it was not checked.
        n: how many examples they are of; 0 where none was looked at.
    """

    check: str
    outcome: Outcome
    figures: str
    n: int


def judged(*, passed: bool, check: str, figures: str, n: int) -> Check:
    """Make the line of a check that was carried out."""
    return Check(check, "passed" if passed else "failed", figures, n)


def check_table(checks: Sequence[Check]) -> pl.DataFrame:
    """Tabulate checks: columns `check`, `outcome`, `figures` and `n`."""
    return pl.DataFrame([astuple(one) for one in checks], schema=_SCHEMA, orient="row")


def percent(count: int, *, of: int) -> str:
    """Write a share.

    >>> percent(3, of=8), percent(0, of=0)
    ('37.5 %', 'none')
    """
    return f"{100 * count / of:.3g} %" if of else "none"
