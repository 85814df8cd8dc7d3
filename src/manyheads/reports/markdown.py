"""Tables in Markdown: one per block of columns."""

from manyheads.reports.cells import Cell, Table


def to_markdown(table: Table) -> str:
    """Write a table as Markdown: a title, one table per block, a note.

    A cell reads `95.1 [93.6, 96.3]`, followed by n where it is not the same everywhere and by the paper's number.
    """
    parts = [f"**{_escape(table.title)}**"]
    for block in table.blocks:
        places = [place for group in block.groups for place in group.places]
        columns = [table.columns[place] for place in places]
        heads = [f"{column.group}, {column.name}" if column.name else column.group for column in columns]
        lines = [
            _line([*table.stub, *heads]),
            "|" + " :-- |" * len(table.stub) + " --: |" * len(places),
            *(_line([*row.labels, *(_text(table, row.cells[place]) for place in places)]) for row in table.rows),
        ]
        parts += [_escape(block.name)] * bool(block.name) + ["\n".join(lines)]
    return "\n\n".join([*parts, _escape(table.footnote)]) + "\n"


def _text(table: Table, cell: Cell) -> str:
    words = [cell.mark + cell.text]
    if cell.interval:
        words.append(f"[{cell.interval.replace('–', ', ')}]")
    if table.count_beside(cell):
        words.append(table.count_beside(cell))
    if cell.paper:
        words.append(f"(paper {cell.paper})")
    return " ".join(words)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    """Keep names from becoming markup."""
    for sign in "\\|<*_`":
        text = text.replace(sign, "\\" + sign)
    return text.replace("\n", " ")
