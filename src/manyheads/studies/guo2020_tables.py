"""Tables 1 to 4 of Guo et al. 2020, with our numbers beside the printed ones: three classifiers on Office-31."""

from collections.abc import Sequence

from manyheads.experiments import PerturbationKind
from manyheads.reports import Cell, Column, Row, Section, Table
from manyheads.studies.guo2020_measured import Found, Question, difference, printed_in
from manyheads.studies.guo2020_pictures import perturbed_objects
from manyheads.studies.guo2020_printed import AVERAGE, CLEAN, CLEAN_ACCURACY, Goal, printed_share
from manyheads.studies.guo2020_wishes import METHODS, Wish, tabled

LEVELS = (10, 5)
"""Sizes of the paper's budgets, in 255ths, in the order of its tables."""

HEADLINES = {"untargeted": ("fooling_ratio", "accuracy"), "targeted": ("target_accuracy",)}
"""What is counted, by what the attacker wants; the first is the attacker's success."""

_HEADINGS = {
    "fooling_ratio": "fooling ratio",
    "accuracy": "accuracy under attack",
    "target_accuracy": "taken for the target",
}


def wishes(kind: PerturbationKind, *, goal: Goal) -> tuple[Wish, ...]:
    """List the generators of one of these tables, and those beside which the references were run."""
    own = tabled("office31", kind, goal=goal, levels=LEVELS)
    return tuple(dict.fromkeys((*own, *(_reference(goal, level) for level in LEVELS))))


def classifiers(found: Found, *, number: int, kind: PerturbationKind, goal: Goal) -> Section:
    """Show one of these tables.

    Args:
        found: what was measured.
        number: the table's, in the paper.
        kind: universal or per instance.
        goal: what the attacker wants.
    """
    named = kind.replace("_", " ")
    domains = tuple(found.runs.settings["office31"].bases[kind].victims)
    rows = [Row(labels=("0", CLEAN), cells=_clean(found, goal=goal, domains=domains))]
    for level in LEVELS:
        for method in METHODS:
            wish = Wish("office31", kind, method, level=level, goal=goal)
            rows.append(Row(labels=(f"{level}/255", method.upper()), cells=_cells(found, wish, domains=domains)))
        rows += [
            Row(labels=(f"{level}/255", name), cells=_cells(found, _reference(goal, level), name, domains=domains))
            for name in found.runs.settings["office31"].bases["universal"].references
        ]
    table = Table(
        title=f"{named.capitalize()}, {goal}",
        stub=("ε", "attack"),
        columns=tuple(Column(_HEADINGS[score], domain) for score in HEADLINES[goal] for domain in (*domains, AVERAGE)),
        rows=tuple(rows),
        note="The attacker wants a high fooling ratio, a low accuracy, a high share taken for the target.",
    )
    picture = perturbed_objects(found, kind=kind, goal=goal)
    return Section(
        title=f"Table {number}: {named} perturbations, {goal}",
        text=(_compared(found, kind=kind, goal=goal, domains=domains), _references_said(found)),
        tables=(table,),
        pictures=() if picture is None else (picture,),
    )


def _reference(goal: Goal, level: int) -> Wish:
    return Wish("office31", "universal", "mta", level=level, goal=goal)


def _questions(wish: Wish, attack: str, *, score: str, domains: Sequence[str]) -> list[Question]:
    return [Question(wish, attack, score, domain) for domain in domains]


def _cells(found: Found, wish: Wish, attack: str | None = None, *, domains: Sequence[str]) -> tuple[Cell, ...]:
    """One row: every score of every domain, and their average; a reference has no printed numbers."""
    cells = []
    for score in HEADLINES[wish.goal]:
        asked = _questions(wish, attack or wish.method, score=score, domains=domains)
        numbers = [
            printed_share(wish.kind, goal=wish.goal, level=wish.level, method=wish.method, domain=domain, score=score)
            for domain in (*domains, AVERAGE)
        ]
        ours = [*(found.cell(question) for question in asked), found.average(asked)]
        cells += [cell if attack else printed_in(cell, number) for cell, number in zip(ours, numbers, strict=True)]
    return tuple(cells)


def _clean(found: Found, *, goal: Goal, domains: Sequence[str]) -> tuple[Cell, ...]:
    """Clean images: nothing is fooled, but some are wrong, and some are taken for the target all the same."""
    cells: list[Cell] = []
    for score in HEADLINES[goal]:
        if score == "fooling_ratio":
            cells += [Cell()] * (len(domains) + 1)
            continue
        asked = [Question(_reference(goal, LEVELS[0]), "mta", score, domain, condition=CLEAN) for domain in domains]
        numbers = [CLEAN_ACCURACY.get(domain) if score == "accuracy" else None for domain in domains]
        ours = [found.cell(question) for question in asked]
        cells += [printed_in(cell, number) for cell, number in zip(ours, numbers, strict=True)]
        cells.append(found.average(asked))
    return tuple(cells)


def _compared(found: Found, *, kind: PerturbationKind, goal: Goal, domains: Sequence[str]) -> str:
    """Say how MTA does against GAP, on average over the domains, whichever wins."""
    score = HEADLINES[goal][0]
    parts = []
    for level in LEVELS:
        gap, mta = (
            found.means(
                _questions(Wish("office31", kind, method, level=level, goal=goal), method, score=score, domains=domains)
            )
            for method in METHODS
        )
        said = difference(mta, gap, written=_points)
        gap_printed, mta_printed = (
            printed_share(kind, goal=goal, level=level, method=method, domain=AVERAGE, score=score)
            for method in METHODS
        )
        paper = "" if gap_printed is None or mta_printed is None else f"; paper {_points(mta_printed - gap_printed)}"
        parts.append(f"{said} at ε {level}/255{paper}")
    return f"MTA minus GAP, average {_HEADINGS[score]}, in percentage points: {'; '.join(parts)}."


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _references_said(found: Found) -> str:
    names = ", ".join(found.runs.settings["office31"].bases["universal"].references)
    return (
        f"For comparison ({names}): random noise and a gradient attack within the same ε. The gradient attack searches "
        "for every image anew; a generator needs one pass. The paper has no such rows. All seeds attack the same "
        "victims."
    )
