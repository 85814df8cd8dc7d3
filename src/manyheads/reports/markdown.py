"""Tables in Markdown, one per block of columns; sanity checks and verdicts."""

from manyheads.reports.cells import Cell, Table
from manyheads.reports.checklist import Checklist
from manyheads.reports.verdict import Verdict


def to_markdown(shown: Table | Checklist | Verdict) -> str:
    """Write a table as Markdown: a title, one table per block, a note; checks as one table, a verdict as a list.

    A cell reads `95.1 [93.6, 96.3]`, followed by n where it is not the same everywhere and by the paper's number.
    """
    match shown:
        case Checklist():
            return _checks(shown)
        case Verdict():
            lines = [f"- {_escape(line)}" for line in shown.lines if line]
            return "\n".join([f"**{_escape(shown.title)}**", "", *lines]) + "\n"
    return _table(shown)


def _checks(checks: Checklist) -> str:
    lines = [_line(["check", *checks.models]), "|" + " :-- |" * (1 + len(checks.models))]
    for check, marks in checks.rows.items():
        told = [f"{mark.sign} {mark.told}" if mark is not None else "not measured" for mark in marks]
        lines.append(_line([check, *told]))
    return "\n\n".join([f"**{_escape(checks.title)}**", "\n".join(lines), _escape(checks.note)]) + "\n"


def _table(table: Table) -> str:
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
