"""The neutral table: cells with an interval and a count, and columns in three levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from manyheads.reports.measures import POINTS, SHARE, Measure

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
        value: a number of the kind that `measure` says, a share in [0, 1] by default; None where nothing was measured
            or counted.
        low: lower end of the 95 % interval, or the lowest of several seeds; None for no interval.
        high: upper end of the 95 % interval, or the highest of several seeds; None for no interval.
        n: how many examples the number is of; 0 for an empty denominator, None for not measured (or, of numbers that
            are no shares, not counted).
        seeds: how many seeds the number is the mean of.
        printed: the number that a paper prints for this cell, in the same unit (a share for a share).
        mark: `LOWER` or `HIGHER` where the cell is clearly worse than the gray-box one beside it, else empty.
        measure: what kind of number it is.

    Raises:
        ValueError: if a number lies outside what its kind can be, or value and n contradict each other.

    >>> Cell(value=0.5, low=0.3, high=0.7, n=20).interval
    '30.0–70.0'
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: int = 1
    printed: float | None = None
    mark: str = ""
    measure: Measure = SHARE

    def __post_init__(self) -> None:
        """Refuse percent where shares are meant, and a value of nothing."""
        for name in ("value", "low", "high", "printed"):
            number = getattr(self, name)
            if number is not None and not self.measure.lowest <= number <= self.measure.highest:
                wanted = "a share in [0, 1]" if self.measure == SHARE else f"at least {self.measure.lowest:g}"
                remedy = "; divide percent by 100" if self.measure == SHARE else ""
                raise ValueError(f"a cell's {name} is {wanted}, got {number}{remedy}")
        uncounted = self.measure != SHARE and self.n is None
        if not uncounted and (self.value is None) == bool(self.n):
            raise ValueError(
                f"a cell has a value exactly where n is above zero, got value {self.value} with n {self.n}"
            )

    @property
    def text(self) -> str:
        """The number in its unit, or why there is none."""
        if self.value is None:
            return NOT_MEASURED if self.n is None else EMPTY
        return self.measure.write(self.value)

    @property
    def with_unit(self) -> str:
        """The number and its unit, or why there is none."""
        if self.value is None or not self.measure.unit:
            return self.text
        return self.text + ("" if self.measure.unit == "°" else " ") + self.measure.unit

    @property
    def interval(self) -> str:
        """The interval in the unit of the number, empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        between = " to " if self.measure == POINTS else "–"  # a dash would read as a minus
        return self.measure.write(self.low) + between + self.measure.write(self.high)

    @property
    def paper(self) -> str:
        """The paper's number with the decimals that papers print; empty where there is none."""
        return "" if self.printed is None else self.measure.quote(self.printed)

    @property
    def count(self) -> str:
        """How many examples and, where there are several, seeds the number is of; empty where nobody counted."""
        parts = [f"n = {self.n}"] * (self.n is not None) + [seed_count(self.seeds)] * (self.seeds > 1)
        return ", ".join(parts)


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

    def count_beside(self, cell: Cell) -> str:
        """Write what of a cell's count must stand beside it, since it is not the same in every cell."""
        parts = []
        if len(self._sizes) > 1 and (cell.n or (cell.n == 0 and cell.measure == SHARE)):
            parts.append(f"n = {cell.n}")
        if len(self._seeds) > 1 and cell.value is not None:
            parts.append(seed_count(cell.seeds))
        return ", ".join(parts)

    @property
    def footnote(self) -> str:
        """The note, with the unit, the common n and the meaning of the marks that occur."""
        cells = [cell for row in self.rows for cell in row.cells]
        marks = "".join(sorted({cell.mark for cell in cells} - {""}))
        shares = all(cell.measure == SHARE for cell in cells)
        nothing = f"{EMPTY} is a share of nothing (n = 0)." if shares else f"{EMPTY}: there is nothing to measure."
        common = [f"n = {size}" for size in self._sizes] if len(self._sizes) == 1 else []
        common += [seed_count(number) for number in self._seeds if number > 1] if len(self._seeds) == 1 else []
        parts = [
            self.note,
            _units(cells),
            f"{', '.join(common)} in every cell." if common else "",
            nothing if any(cell.n == 0 for cell in cells) else "",
            f"{marks}: clearly worse than gray-box (the intervals do not touch)." if marks else "",
        ]
        return " ".join(part for part in parts if part)

    @property
    def _sizes(self) -> frozenset[int]:
        """Every n above zero that occurs."""
        return frozenset(cell.n for row in self.rows for cell in row.cells if cell.n)

    @property
    def _seeds(self) -> frozenset[int]:
        """Every number of seeds that a number of the table is the mean of."""
        return frozenset(cell.seeds for row in self.rows for cell in row.cells if cell.value is not None)


def seed_count(seeds: int) -> str:
    """Write how many seeds there are.

    >>> seed_count(1), seed_count(3)
    ('1 seed', '3 seeds')
    """
    return f"{seeds} seed{'s' * (seeds > 1)}"


def _units(cells: Sequence[Cell]) -> str:
    """Say in which unit the numbers of a table are, and what the smaller ones beside them are."""
    units = sorted({cell.measure.unit for cell in cells})
    kinds = {1: f"Numbers in {units[0]}" if units and units[0] else "Plain numbers"}
    said = kinds.get(len(units), "Numbers in the units that stand beside them")
    if all(cell.seeds == 1 for cell in cells):
        return f"{said}, with 95 % intervals." if any(cell.interval for cell in cells) else f"{said}."
    said += ": the mean over several seeds, with the lowest and the highest of them"
    alone = any(cell.interval and cell.seeds == 1 for cell in cells)
    return said + ("; of one seed with its 95 % interval." if alone else ".")
