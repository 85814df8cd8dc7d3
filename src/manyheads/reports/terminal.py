"""Tables in a terminal: one block of columns under another, each cell above its interval."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap

from rich.console import Group as Lines
from rich.text import Text

from manyheads.reports.cells import Block, Cell, Group, Table
from manyheads.reports.checklist import Checklist
from manyheads.reports.terminal_checks import checks_to_rich, verdict_to_rich
from manyheads.reports.verdict import Verdict

_GAP = 1
_LABEL = 18


def to_rich(shown: Table | Checklist | Verdict, *, width: int = 118) -> Lines:
    """Draw a table, a list of checks or a verdict as lines of text at most `width` characters wide.

    A block of a table that is too wide is cut between its groups, and the row labels are repeated. Cells hold the
    number, below it the interval, then n where it is not the same everywhere, then the paper's number in brackets.

    Raises:
        ValueError: if not even one column of a table fits.
    """
    match shown:
        case Checklist():
            return checks_to_rich(shown, width=width)
        case Verdict():
            return verdict_to_rich(shown, width=width)
    return _table_to_rich(shown, width=width)


def _table_to_rich(table: Table, *, width: int) -> Lines:
    cell_width = _cell_width(table)
    label_widths = [min(_LABEL, max(len(text) for text in texts)) for texts in _label_texts(table)]
    room = width - sum(label_widths) - _GAP * len(label_widths)
    if room < cell_width + _GAP:
        raise ValueError(f"a table of {cell_width} characters per cell needs more than {width} columns of text")
    lines = [Text(table.title, style="bold")]
    for block in table.blocks:
        for groups in _chunks(block, columns=room // (cell_width + _GAP)):
            lines += _heading(table, block.name, groups, widths=(label_widths, cell_width))
            lines += _body(table, groups, widths=(label_widths, cell_width))
    notes = wrap(_legend(table), width)
    return Lines(*lines, *(Text(line, style="dim") for line in notes))


_Widths = tuple[list[int], int]


def _label_texts(table: Table) -> list[list[str]]:
    return [[heading, *(row.labels[place] for row in table.rows)] for place, heading in enumerate(table.stub)]


def _legend(table: Table) -> str:
    printed = any(cell.paper for row in table.rows for cell in row.cells)
    return table.footnote + (" In brackets: the paper's number." if printed else "")


def _cell_lines(cell: Cell, *, count: str) -> list[Text]:
    """Return the lines of one cell, from top to bottom."""
    style = "bold red" if cell.mark else "bold" if cell.value is not None else "dim"
    lines = [Text(cell.mark + part, style=style) for part in (cell.text.split() if cell.value is None else [cell.text])]
    if cell.interval:
        lines.append(Text(cell.interval, style="dim"))
    lines += [Text(part, style="dim") for part in count.replace(" =", "").split(", ") if part]
    if cell.paper:
        lines.append(Text(f"({cell.paper})", style="cyan"))
    return lines


def _lines_of(table: Table, cell: Cell) -> list[Text]:
    return _cell_lines(cell, count=table.count_beside(cell))


def _cell_width(table: Table) -> int:
    texts = [line.cell_len for row in table.rows for cell in row.cells for line in _lines_of(table, cell)]
    words = [len(word) for column in table.columns for word in column.name.split()]
    return max([5, *texts, *words])


def _chunks(block: Block, *, columns: int) -> list[list[Group]]:
    """Cut a block into as few runs of whole groups as go into so many columns, all about equally wide."""
    fewest = len(_cut(block, columns=columns))
    return next(cut for most in range(1, columns + 1) if len(cut := _cut(block, columns=most)) == fewest)


def _cut(block: Block, *, columns: int) -> list[list[Group]]:
    """Cut a block into runs of groups with at most so many columns; a wider group is cut itself."""
    pieces = [
        Group(group.name, group.places[start : start + columns])
        for group in block.groups
        for start in range(0, len(group.places), columns)
    ]
    chunks: list[list[Group]] = [[]]
    for piece in pieces:
        if chunks[-1] and sum(len(group.places) for group in chunks[-1]) + len(piece.places) > columns:
            chunks.append([])
        chunks[-1].append(piece)
    return chunks


def _heading(table: Table, block: str, groups: Sequence[Group], *, widths: _Widths) -> list[Text]:
    label_widths, cell_width = widths
    spans = [(cell_width + _GAP) * len(group.places) - _GAP for group in groups]
    parts = [
        _wrapped(group.name, width) if any(table.columns[place].name for place in group.places) else []
        for group, width in zip(groups, spans, strict=True)
    ]
    names = [
        _wrapped(table.columns[place].name or group.name, cell_width) for group in groups for place in group.places
    ]
    stub = [Text(heading) for heading in table.stub]
    empty = [Text()] * len(stub)
    total = sum(label_widths) + _GAP * len(label_widths) + sum(spans) + _GAP * (len(spans) - 1)
    lines = [Text(), Text(block, style="bold cyan")] if block else [Text()]
    lines += [
        _line([*empty, *line], [*label_widths, *spans], labels=len(stub))
        for line in zip_longest(*parts, fillvalue=Text())
    ]
    above = [[Text()] * (max(map(len, names)) - len(name)) + name for name in names]
    for number, line in enumerate(zip(*above, strict=True)):
        labels = stub if number == len(above[0]) - 1 else empty
        lines.append(_line([*labels, *line], [*label_widths, *[cell_width] * len(names)], labels=len(stub)))
    return [*lines, Text("─" * total, style="dim")]


def _body(table: Table, groups: Sequence[Group], *, widths: _Widths) -> list[Text]:
    label_widths, cell_width = widths
    places = [place for group in groups for place in group.places]
    lines, before = [], None
    for row in table.rows:
        repeated = [bool(before) and row.labels[: place + 1] == before[: place + 1] for place in range(len(row.labels))]
        labels = [
            [] if same else _wrapped(label, width)
            for label, width, same in zip(row.labels, label_widths, repeated, strict=True)
        ]
        columns = [*labels, *(_lines_of(table, row.cells[place]) for place in places)]
        sizes = [*label_widths, *[cell_width] * len(places)]
        lines += [_line(line, sizes, labels=len(labels)) for line in zip_longest(*columns, fillvalue=Text())]
        before = row.labels
    return lines


def _wrapped(text: str, width: int) -> list[Text]:
    return [Text(line) for line in wrap(text.replace("+", " +"), width)] if len(text) > width else [Text(text)]


def _line(parts: Sequence[Text], widths: Sequence[int], *, labels: int) -> Text:
    """Put parts beside each other: labels to the left of their column, all else centred."""
    line = Text(no_wrap=True, end="")
    for place, (part, width) in enumerate(zip(parts, widths, strict=True)):
        piece = part.copy()
        piece.align("left" if place < labels else "center", width)
        line.append_text(piece).append(" " * _GAP)
    line.rstrip()
    line.end = "\n"
    return line
