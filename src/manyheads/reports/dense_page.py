"""The page of dense models: of one run, or of several on the same data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from manyheads.reports.checklist import Checklist, failed_checks
from manyheads.reports.dense_gallery import DenseExhibit
from manyheads.reports.dense_results import DenseResults
from manyheads.reports.dense_sections import (
    dense_eps_section,
    dense_gallery_section,
    dense_scores_section,
    dense_training_section,
    pair_section,
    tasks_section,
)
from manyheads.reports.dense_tables import DensePrinted
from manyheads.reports.dense_verdicts import dense_findings
from manyheads.reports.html import Provenance, ReportContents, Section, write_report
from manyheads.reports.pair_matrix import Pairs
from manyheads.reports.sections import sanity_section


@dataclass(frozen=True, kw_only=True, eq=False)
class DensePage:
    """All that a page of dense models is made from; what is left out is left out of the page.

    Args:
        title: heading of the page.
        results: the scores.
        mains: the tasks that the page is about, at least one.
        provenance: where all of it comes from.
        printed: a paper's numbers, by main task.
        detailed: models whose tasks are all tabulated.
        pairs: our pair matrix.
        printed_pairs: the paper's.
        checks: sanity checks, by model; None for none.
        surfaces: the loss around some frames, by model.
        vulnerability: the section that `vulnerability_section` makes.
        exhibits: galleries; the first of them is open.
        histories: training histories, by model.

    Raises:
        ValueError: if there is no main task.
    """

    title: str
    results: DenseResults
    mains: Sequence[str]
    provenance: Provenance
    printed: Mapping[str, DensePrinted] = field(default_factory=dict)
    detailed: Sequence[str] = ()
    pairs: Pairs | None = None
    printed_pairs: Pairs | None = None
    checks: Checklist | None = None
    surfaces: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    vulnerability: Section | None = None
    exhibits: Sequence[DenseExhibit] = ()
    histories: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a page about nothing."""
        if not self.mains:
            raise ValueError("a page needs at least one main task, got none")


def dense_report(path: Path, page: DensePage) -> None:
    """Write a page of dense models; missing folders are made."""
    write_report(path, dense_contents(page))


def dense_contents(page: DensePage) -> ReportContents:
    """Compose a page: what was found, scores, pairs, sizes, checks, vulnerability, gallery, training."""
    sections = (
        dense_scores_section(page.results, mains=page.mains, printed=page.printed),
        None if page.pairs is None else pair_section(page.pairs, printed=page.printed_pairs),
        dense_eps_section(page.results, mains=page.mains),
        None if page.checks is None else sanity_section(page.checks, page.surfaces),
        page.vulnerability,
        dense_gallery_section(page.exhibits),
        tasks_section(page.results, models=page.detailed) if page.detailed else None,
        dense_training_section(page.histories),
    )
    return ReportContents(
        title=page.title,
        findings=dense_findings(page.results, mains=page.mains),
        cautions=() if page.checks is None else failed_checks(page.checks),
        sections=tuple(section for section in sections if section is not None),
        provenance=page.provenance,
    )
