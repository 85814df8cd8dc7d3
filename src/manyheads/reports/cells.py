"""The neutral table: cells with an interval and a count, columns in three levels, and how a share is written."""

from dataclasses import dataclass
from itertools import groupby

LOWER, HIGHER = "▼", "▲"
"""Marks of a cell that is lower, or higher, and so clearly worse than the gray-box one: the intervals do not touch."""

NOT_MEASURED = "not measured"
"""What stands in a cell that nobody measured."""

EMPTY = "–"
"""What stands in a cell whose denominator is empty."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table; `Cell()` is one that was not measured.

    Args:
        value: a share in [0, 1]; None where nothing was measured or counted.
        low: lower end of the 95 % interval; None for no interval.
        high: upper end of the 95 % interval; None for no interval.
        n: how many examples the share is of; 0 for an empty denominator, None for not measured.
        printed: the number that a paper prints for this cell, as a share.
        mark: `LOWER` or `HIGHER` where the cell is clearly worse than the gray-box one beside it, else empty.

    Raises:
        ValueError: if a number is not a share, or value and n contradict each other.

    >>> Cell(value=0.5, low=0.3, high=0.7, n=20).interval
    '30.0–70.0'
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    printed: float | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        """Refuse percent where shares are meant, and a value of nothing."""
        for name in ("value", "low", "high", "printed"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"a cell's {name} is a share in [0, 1], got {share}; divide percent by 100")
        if (self.value is None) == bool(self.n):
            raise ValueError(
                f"a cell has a value exactly where n is above zero, got value {self.value} with n {self.n}"
            )

    @property
    def text(self) -> str:
        """The number in percent, or why there is none."""
        if self.value is None:
            return NOT_MEASURED if self.n is None else EMPTY
        return percent(self.value)

    @property
    def interval(self) -> str:
        """The interval in percent, empty where there is none."""
        return "" if self.low is None or self.high is None else f"{percent(self.low)}–{percent(self.high)}"

    @property
    def paper(self) -> str:
        """The paper's number in percent, with two decimals as papers print it; empty where there is none."""
        return "" if self.printed is None else f"{100 * self.printed:.2f}"


@dataclass(frozen=True)
class Column:
    """A column under three headings, from the widest to the narrowest.

    Args:
        block: for example the training; columns of one block stand together.
        group: for example the attack.
        name: for example the threat; empty where the group has only this column.
    """

    block: str
    group: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: its labels, one per stub heading, and one cell per column."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """Neighbouring columns under one heading, as places in a row."""

    name: str
    places: tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """Neighbouring groups under one heading."""

    name: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers with headings and nothing about how they are drawn.

    Args:
        title: what the table shows.
        stub: headings of the columns that hold the row labels.
        columns: headings of the cells.
        rows: labels and cells.
        note: what a reader must know to read the numbers.

    Raises:
        ValueError: if a row has more or fewer labels or cells than there are headings.
    """

    title: str
    stub: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse ragged rows."""
        wanted = (len(self.stub), len(self.columns))
        for row in self.rows:
            if (len(row.labels), len(row.cells)) != wanted:
                found = f"{len(row.labels)} and {len(row.cells)}"
                raise ValueError(f"row {row.labels} needs {wanted[0]} labels and {wanted[1]} cells, got {found}")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The columns by block and group, in order."""
        places = [(column.block, column.group, place) for place, column in enumerate(self.columns)]
        return tuple(
            Block(
                block, tuple(Group(name, tuple(p for *_, p in two)) for name, two in groupby(one, lambda item: item[1]))
            )
            for block, one in groupby(places, lambda item: item[0])
        )

    @property
    def counts(self) -> frozenset[int]:
        """Every n above zero that occurs."""
        return frozenset(cell.n for row in self.rows for cell in row.cells if cell.n)

    @property
    def footnote(self) -> str:
        """The note, with the common n and the meaning of the marks that occur."""
        cells = [cell for row in self.rows for cell in row.cells]
        marks = "".join(sorted({cell.mark for cell in cells} - {""}))
        parts = [
            self.note,
            "Numbers in %, with 95 % intervals.",
            f"n = {min(self.counts)} in every cell." if len(self.counts) == 1 else "",
            f"{EMPTY} is a share of nothing (n = 0)." if any(cell.n == 0 for cell in cells) else "",
            f"{marks}: clearly worse than gray-box (the intervals do not touch)." if marks else "",
        ]
        return " ".join(part for part in parts if part)


def percent(share: float) -> str:
    """Write a share in percent; what is not 0 or 100 to five decimals is not written so.

    >>> [percent(share) for share in (0.0, 0.0004, 0.5, 0.9996, 1.0)]
    ['0', '0.04', '50.0', '99.96', '100']
    """
    for decimals in range(1, 6):
        text = f"{100 * share:.{decimals}f}"
        if 0 < float(text) < 100:
            return text
    return f"{100 * share:.0f}"
