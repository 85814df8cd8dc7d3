"""One self-contained page: the summary first, then numbers, figures, images, and where all of it comes from."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from manyheads.reports.cells import NOT_MEASURED, Cell, Table
from manyheads.reports.checklist import Checklist
from manyheads.reports.dense_gallery import DenseExhibit, scenes
from manyheads.reports.gallery import CAUGHT, FOOLED, REFUSED, SURVIVED, Card, Exhibit, cards
from manyheads.reports.measures import SHARE
from manyheads.reports.verdict import Verdict
from manyheads.reports.verdicts import Caution, Finding
from manyheads.threats.knowledge import ADAPTIVE, GRAY


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure, drawn.

    Args:
        svg: the figure as SVG.
        says: what it shows, for those who cannot see it.
        columns: how many columns of the page it takes: 1, or 2, which stands before the tables.
    """

    svg: bytes
    says: str
    columns: int = 1

    @property
    def uri(self) -> str:
        """The figure as a data URI."""
        return "data:image/svg+xml;base64," + b64encode(self.svg).decode()


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report, under its own heading.

    Args:
        title: the heading.
        text: paragraphs before all else.
        tables: shown in order.
        pictures: shown beside each other where there is room.
        exhibits: galleries; those of one model and attack are shown together.
        dense_exhibits: galleries of dense models; the first of them is open.
        checklists: sanity checks, shown after the tables.
    """

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    dense_exhibits: tuple[DenseExhibit, ...] = ()
    checklists: tuple[Checklist, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a report comes from.

    Args:
        experiments: what was run, by name; anything that `json` can write.
        versions: versions of the software, by name.
        seeds: the seeds of all randomness, one for each training of the same models.
        date: when it was run.
        commit: the version of the code; None where unknown.
        parameters: by model, the number of parameters that all tasks share and the number that single heads own.
    """

    experiments: Mapping[str, object]
    versions: Mapping[str, str]
    seeds: tuple[int, ...]
    date: str
    commit: str | None = None
    parameters: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def seeded(self) -> str:
        """The seeds in words.

        >>> Provenance(experiments={}, versions={}, seeds=(0, 1), date="2026-11-21").seeded
        'seeds 0, 1'
        """
        return f"seed{'s' * (len(self.seeds) > 1)} {', '.join(map(str, self.seeds))}"


@dataclass(frozen=True, kw_only=True)
class ReportContents:
    """All that stands on a page, of one run or of a study of many.

    Args:
        title: the heading of the page.
        findings: what the numbers say, in plain words.
        cautions: what a reader must not overlook.
        sections: tables, figures and galleries.
        provenance: where all of it comes from.
        verdicts: what was claimed and what stands, before all else.
    """

    title: str
    findings: tuple[Finding, ...]
    cautions: tuple[Caution, ...]
    sections: tuple[Section, ...]
    provenance: Provenance
    verdicts: tuple[Verdict, ...] = ()


def write_report(path: Path, contents: ReportContents) -> None:
    """Write the page; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_html(contents), encoding="utf-8")


def to_html(contents: ReportContents) -> str:
    """Make the page: one file without scripts or anything to load; the same contents give the same text."""
    environment = Environment(
        loader=PackageLoader("manyheads", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    experiments = {
        name: json.dumps(experiment, indent=2, ensure_ascii=False)
        for name, experiment in contents.provenance.experiments.items()
    }
    halls = [_halls(section.exhibits) for section in contents.sections]
    return environment.get_template("report.html").render(
        contents=contents,
        experiments=experiments,
        halls=halls,
        scenes=scenes,
        tone=_TONES,
        width=_width,
        not_measured=NOT_MEASURED,
    )


_TONES = {FOOLED: "bad", CAUGHT: "held", SURVIVED: "good", REFUSED: "held"}
"""How the page colours the fate of an image."""


def _halls(exhibits: tuple[Exhibit, ...]) -> dict[str, dict[str, list[Card]]]:
    """Collect the galleries of one model and attack, by threat; gray-box is never shown without adaptive."""
    halls: dict[str, dict[str, list[Card]]] = {}
    for exhibit in exhibits:
        hall = halls.setdefault(f"{exhibit.model}: {exhibit.challenge.label}", {})
        hall.setdefault(exhibit.threat, []).extend(cards(exhibit))
    for hall in halls.values():
        if GRAY in hall:
            hall.setdefault(ADAPTIVE, [])
    return halls


def _width(cell: Cell, finding: Finding) -> str:
    """Length of the bar that stands for a number: a share as it is, all else beside the largest of the finding."""
    longest = 1.0 if cell.measure == SHARE else max(one.value or 0 for _, one in finding.bars)
    return f"{100 * (cell.value or 0) / (longest or 1):.2f}%"
