"""Reports: tables, figures, a gallery and one self-contained page, made from scores."""

from manyheads.reports.cells import Cell, Column, Row, Table
from manyheads.reports.gallery import Card, Exhibit, Heads, cards, load_exhibit
from manyheads.reports.html import Picture, Provenance, ReportContents, Section, to_html, write_report
from manyheads.reports.markdown import to_markdown
from manyheads.reports.plots import accuracy_over_eps, rejection_bars, to_png, to_svg, training_curves
from manyheads.reports.results import ADAPTIVE, GRAY, HEADLINE, WHITE, Challenge, Results
from manyheads.reports.sections import (
    accuracy_section,
    eps_section,
    gallery_section,
    hidden_section,
    rejection_section,
    training_section,
)
from manyheads.reports.tables import CLEAN, Printed, hidden_table, main_table, rejection_table
from manyheads.reports.terminal import to_rich
from manyheads.reports.verdicts import Caution, Finding, cautions, findings

__all__ = [
    "ADAPTIVE",
    "CLEAN",
    "GRAY",
    "HEADLINE",
    "WHITE",
    "Card",
    "Caution",
    "Cell",
    "Challenge",
    "Column",
    "Exhibit",
    "Finding",
    "Heads",
    "Picture",
    "Printed",
    "Provenance",
    "ReportContents",
    "Results",
    "Row",
    "Section",
    "Table",
    "accuracy_over_eps",
    "accuracy_section",
    "cards",
    "cautions",
    "eps_section",
    "findings",
    "gallery_section",
    "hidden_section",
    "hidden_table",
    "load_exhibit",
    "main_table",
    "rejection_bars",
    "rejection_section",
    "rejection_table",
    "to_html",
    "to_markdown",
    "to_png",
    "to_rich",
    "to_svg",
    "training_curves",
    "training_section",
    "write_report",
]
