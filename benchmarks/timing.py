"""Timings that can be compared: actions run in turn in one process, and ratios are taken round by round."""

import ctypes
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Action = Callable[[], object]
Rounds = Mapping[str, Sequence[float]]
"""Seconds of every action, round by round."""

_KEPT = {-1: 2**31 - 1, -3: 2**25}
"""Settings of glibc's `mallopt`, each as high as it takes: how much memory at the end of its heap it keeps, and how
large a piece has to be to come from the system by itself."""


def keep_memory() -> None:
    """Let this process keep the memory that it frees, where the C library is glibc.

    By default glibc gives memory at the end of its heap back to the system, and fetches it page by page when it is
    needed again. Whether that happens at every step hangs on the order in which tensors are freed, and can make either
    of two programs that do the same a tenth slower.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(library, "mallopt"):
        for setting, value in _KEPT.items():
            library.mallopt(setting, value)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The middle of some ratios, with their quartiles.

    Args:
        median: the middle one.
        low: a quarter of them are below.
        high: a quarter of them are above.
        n: how many there are.
    """

    median: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        """Write it as reports do."""
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f}, n {self.n})"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a benchmark found.

    Args:
        case: which benchmark.
        what: what is compared with what, and on what.
        ratio: how they compare.
        bar: what the ratio ought to be; empty where nothing was promised.
        holds: whether it is so; None where nothing was promised.
        aside: other numbers that belong to it.
    """

    case: str
    what: str
    ratio: Ratio
    bar: str = ""
    holds: bool | None = None
    aside: str = ""


def seconds(action: Action) -> float:
    """Time one run, in the processor's time: on one thread, other programs then disturb less."""
    start = time.process_time()
    action()
    return time.process_time() - start


def rounds(actions: Mapping[str, Action], *, repetitions: int) -> dict[str, list[float]]:
    """Run all actions once to warm up, then so many times in turn, each round beginning with another."""
    for action in actions.values():
        action()
    names = list(actions)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(repetitions):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            times[name].append(seconds(actions[name]))
    return times


def summary(ratios: Sequence[float]) -> Ratio:
    """Summarise ratios."""
    ordered = sorted(ratios)
    quarter = len(ordered) // 4
    return Ratio(median=statistics.median(ordered), low=ordered[quarter], high=ordered[-1 - quarter], n=len(ordered))


def ratio(times: Rounds, *, of: str, to: str) -> Ratio:
    """Compare two actions round by round."""
    return summary([one / other for one, other in zip(times[of], times[to], strict=True)])


def at_most(limit: float, *, case: str, what: str, found: Ratio, aside: str = "") -> Finding:
    """Say whether a ratio is as low as promised."""
    return Finding(case=case, what=what, ratio=found, bar=f"≤ {limit:g}", holds=found.median <= limit, aside=aside)


def at_least(limit: float, *, case: str, what: str, found: Ratio, aside: str = "") -> Finding:
    """Say whether a ratio is as high as promised."""
    return Finding(case=case, what=what, ratio=found, bar=f"≥ {limit:g}", holds=found.median >= limit, aside=aside)
