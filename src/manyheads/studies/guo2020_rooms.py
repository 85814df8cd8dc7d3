"""Tables 5 and 6 of Guo et al. 2020, and what the logarithm does: three dense tasks on NYUv2."""

from collections.abc import Sequence

from manyheads.experiments import Method, PerturbationKind
from manyheads.reports import UNITS, Cell, Column, Row, Section, Table, measure_of, rises
from manyheads.reports.dense_results import words
from manyheads.studies.guo2020_measured import Found, Question, difference, printed_in
from manyheads.studies.guo2020_pictures import perturbed_rooms
from manyheads.studies.guo2020_printed import CLEAN, COLUMNS, printed_dense
from manyheads.studies.guo2020_wishes import METHODS, Wish, ablated, tabled

LEVEL = 5
"""Size of the paper's budget, in 255ths."""

KINDS: tuple[PerturbationKind, ...] = ("universal", "per_instance")
"""Both kinds of perturbations, in the order of the tables."""

_OWN = "Each task's columns are of the perturbation that was made for this task."
_ROOMS = (
    "The paper's numbers are of frames of 288×384 pixels, with the normals of another source. Ours are computed from "
    "the depth."
)


def wishes() -> tuple[Wish, ...]:
    """List the generators of Table 5, of which Table 6 tries those of MTA on another model."""
    return tuple(wish for kind in KINDS for wish in tabled("nyuv2", kind, levels=(LEVEL,)))


def attacked_rooms(found: Found) -> Section:
    """Show Table 5: the model that the generators were trained against."""
    victim = _victim(found)
    rows = [_row(found, _wish("universal"), victim, labels=(CLEAN, ""), attack=CLEAN, printed=(CLEAN, None))]
    for kind in KINDS:
        rows += [
            _row(found, _wish(kind, method), victim, labels=(_said(kind), method.upper()), printed=(kind, method))
            for method in METHODS
        ]
    rows += [
        _row(found, _wish("universal"), victim, labels=("for comparison", name), attack=name)
        for name in found.runs.settings["nyuv2"].bases["universal"].references
    ]
    picture = perturbed_rooms(found, level=LEVEL)
    return Section(
        title="Table 5: dense tasks of one model",
        text=(_compared(found, victim), _OWN, _ROOMS),
        tables=(_table("Attacks on the victim", rows),),
        pictures=() if picture is None else (picture,),
    )


def transferred(found: Found) -> Section:
    """Show Table 6: MTA's perturbations on a model that the generator never saw."""
    rows = []
    for other in found.runs.settings["nyuv2"].bases["universal"].transfers:
        rows.append(_row(found, _wish("universal"), other, labels=(other, CLEAN), attack=CLEAN, printed=(CLEAN, None)))
        rows += [
            _row(found, _wish(kind), other, labels=(other, f"{_said(kind)} MTA"), printed=(kind, "mta"))
            for kind in KINDS
        ]
    text = (
        f"Perturbations that were made against {_victim(found)}, on another model that was trained on the same frames."
    )
    return Section(
        title="Table 6: transfer to another model",
        text=(text, _OWN, _ROOMS),
        tables=(_table("Transfer", rows, stub=("model", "attack")),),
    )


def logarithm(found: Found) -> Section:
    """Show what raising the logarithm of the losses does, instead of the losses: MTA with it and without."""
    rooms = [
        _row(found, wish, _victim(found), labels=(_said(wish.kind), wish.raised))
        for wish in ablated()
        if wish.data == "nyuv2"
    ]
    objects = [wish for wish in ablated() if wish.data == "office31"]
    domains = tuple(found.runs.settings["office31"].bases["universal"].victims)
    rows = []
    for wish in objects:
        asked = [Question(wish, "mta", "fooling_ratio", domain) for domain in domains]
        cells = (*(found.cell(question) for question in asked), found.average(asked))
        rows.append(Row(labels=(_said(wish.kind), wish.raised), cells=cells))
    columns = tuple(Column("fooling ratio", domain) for domain in (*domains, "average"))
    fooled = Table(title="Three classifiers", stub=("MTA", "raised"), columns=columns, rows=tuple(rows))
    text = (
        "The paper raises the logarithm of each task's loss so that tasks of different scales weigh alike; it does not "
        f"show what that achieves. MTA within {LEVEL}/255, untargeted."
    )
    return Section(
        title="The logarithm of the losses",
        text=(text, _OWN),
        tables=(_table("Dense tasks of one model", rooms, stub=("MTA", "raised")), fooled),
    )


def _wish(kind: PerturbationKind, method: Method = "mta") -> Wish:
    return Wish("nyuv2", kind, method, level=LEVEL)


def _victim(found: Found) -> str:
    return next(iter(found.runs.settings["nyuv2"].bases["universal"].victims))


def _said(kind: PerturbationKind) -> str:
    return kind.replace("_", " ")


def _row(
    found: Found,
    wish: Wish,
    victim: str,
    *,
    labels: tuple[str, str],
    attack: str | None = None,
    printed: tuple[str, Method | None] | None = None,
) -> Row:
    """One row: every score of every task.

    Args:
        found: what was measured.
        wish: the generator, or that beside which a reference was run.
        victim: the model that was scored.
        labels: of the row.
        attack: `clean`, or a reference's name; None for the generator itself.
        printed: the paper's row: the attack, and the method.
    """
    cells: list[Cell] = []
    for task, score in COLUMNS:
        condition = CLEAN if attack == CLEAN else "attacked"
        named = wish.method if attack in {None, CLEAN} else str(attack)
        asked = Question(wish, named, score, task, victim=victim, condition=condition)
        cell = found.cell(asked, measure=measure_of(score, unit=UNITS.get(task, "")))
        if printed is not None:
            number = printed_dense(printed[0], method=printed[1], victim=victim, task=task, score=score)
            cell = printed_in(cell, number)
        cells.append(cell)
    return Row(labels=labels, cells=tuple(cells))


def _table(title: str, rows: Sequence[Row], *, stub: tuple[str, str] = ("perturbation", "attack")) -> Table:
    columns = []
    for task, score in COLUMNS:
        unit = measure_of(score, unit=UNITS.get(task, "")).unit
        named = f"{words(score)} ({unit})" if unit else words(score)
        columns.append(Column(words(task), f"{named} {'↑' if rises(score) else '↓'}"))
    note = "↑: higher is better for the model, ↓: lower is better; an attacker wants the opposite."
    return Table(title=title, stub=stub, columns=tuple(columns), rows=tuple(rows), note=note)


def _compared(found: Found, victim: str) -> str:
    """Count the scores in which MTA is the stronger attack, and say how far apart one of them is."""
    parts = []
    for kind in KINDS:
        ahead = 0
        for task, score in COLUMNS:
            gap, mta = (
                [row["value"] for row in found.rows(Question(_wish(kind, one), one, score, task, victim=victim))]
                for one in METHODS
            )
            gain = sum(mta) / len(mta) - sum(gap) / len(gap)
            ahead += gain < 0 if rises(score) else gain > 0
        angles = [
            [
                row["value"]
                for row in found.rows(Question(_wish(kind, one), one, "mean_angle", "normals", victim=victim))
            ]
            for one in ("mta", "gap")
        ]
        said = difference(*angles, written=lambda value: f"{value:+.1f}°")
        parts.append(f"{_said(kind)}: {ahead} of {len(COLUMNS)} scores, mean angle of the normals {said}")
    return f"In how many scores MTA is the stronger attack than GAP: {'; '.join(parts)}."
