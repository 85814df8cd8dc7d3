"""The page of figures: a row a finding, with its origin; what is measured anew replaces what stood there."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from benchmarks.timing import Finding
from manyheads.experiments.guard_record import code_version

START, END = "<!-- figures -->", "<!-- end of figures -->"
_HEAD = ("| case | what | median (quartiles, n) | wanted | | measured |", "|---|---|---|---|---|---|")


@dataclass(frozen=True)
class Origin:
    """When, by which commit and on what something was measured.

    Args:
        name: date and commit, which rows name.
        setting: versions and machine.
    """

    name: str
    setting: str

    @staticmethod
    def here() -> "Origin":
        """Describe this process."""
        units = "bfloat16 units" if torch.cpu._is_avx512_bf16_supported() else "no bfloat16 units"  # noqa: SLF001
        return Origin(
            f"{datetime.now(tz=UTC).date().isoformat()} {code_version() or 'no commit'}",
            f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()} with {units}, "
            "one thread, float32",
        )


def updated(page: str, findings: Iterable[Finding], *, origin: Origin, order: Sequence[str]) -> str:
    """Return the page with these findings in place of all that it held of their cases; other rows stay.

    Args:
        page: the page's text, with `START` and `END` in it.
        findings: all findings of one or more cases.
        origin: where they come from.
        order: all cases, in the order of the page.

    Raises:
        ValueError: if there is no place for figures in the page.
    """
    head, start, rest = page.partition(START)
    held, end, tail = rest.partition(END)
    if not (start and end):
        raise ValueError(f"figures stand between {START} and {END}, and the page lacks one of these lines; put them in")
    new: dict[str, list[str]] = {}
    for one in findings:
        new.setdefault(one.case, []).append(_row(one, origin=origin))
    rows = {case: new.get(case, _rows_of(case, held=held)) for case in order}
    table = "\n".join((*_HEAD, *(row for case in order for row in rows[case])))
    settings = {**_settings(held), origin.name: origin.setting}
    named = [f"- `{name}`: {setting}" for name, setting in sorted(settings.items()) if f"| {name} |" in table]
    return "\n\n".join((head + START, "\n".join(named), table, END + tail))


def _row(one: Finding, *, origin: Origin) -> str:
    held = {True: "✓", False: "✗", None: ""}[one.holds]
    cells = (f"`{one.case}`", one.what, str(one.ratio), one.bar, f"{held} {one.aside}".strip(), origin.name)
    return f"| {' | '.join(cells)} |"


def _rows_of(case: str, *, held: str) -> list[str]:
    return [line for line in held.splitlines() if line.startswith(f"| `{case}` |")]


def _settings(held: str) -> Mapping[str, str]:
    entries = (line.removeprefix("- `").partition("`: ") for line in held.splitlines() if line.startswith("- `"))
    return {name: setting for name, _, setting in entries}
