"""Reports: tables, figures, a gallery and one self-contained page, made from scores."""

from manyheads.reports.cells import (
    Cell,
    Column,
    Row,
    Table,
)
from manyheads.reports.checklist import (
    MARKS,
    Checklist,
    Mark,
    checklist,
    failed_checks,
)
from manyheads.reports.dense_gallery import (
    DenseExhibit,
    load_dense_exhibit,
)
from manyheads.reports.dense_page import (
    DensePage,
    dense_contents,
    dense_report,
)
from manyheads.reports.dense_plots import (
    dense_training_curves,
    scores_over_eps,
)
from manyheads.reports.dense_results import (
    MULTI,
    SINGLE,
    UNITS,
    DenseResults,
)
from manyheads.reports.dense_sections import (
    dense_eps_section,
    dense_gallery_section,
    dense_scores_section,
    dense_training_section,
    pair_section,
    tasks_section,
    vulnerability_section,
)
from manyheads.reports.dense_tables import (
    DensePrinted,
    dense_table,
    task_table,
)
from manyheads.reports.dense_verdicts import (
    dense_findings,
)
from manyheads.reports.fact_sheet import (
    STANDARD_ENSEMBLE,
    Publication,
    fact_sheet,
    to_fact_json,
)
from manyheads.reports.fooling_tables import (
    FOOLING,
    fooling_table,
    own_task_table,
)
from manyheads.reports.gain_plots import gains_by_threat
from manyheads.reports.gain_table import (
    gain_account,
    gain_table,
    threats_in,
)
from manyheads.reports.gallery import (
    Card,
    Exhibit,
    Heads,
    cards,
    load_exhibit,
)
from manyheads.reports.html import (
    Picture,
    Provenance,
    ReportContents,
    Section,
    to_html,
    write_report,
)
from manyheads.reports.markdown import (
    to_markdown,
)
from manyheads.reports.measures import (
    CHANGE,
    POINTS,
    RATIO,
    SHARE,
    Measure,
    measure_of,
    quantity,
    rises,
)
from manyheads.reports.pair_matrix import (
    Pairs,
    pair_table,
)
from manyheads.reports.pair_plots import (
    pair_figure,
)
from manyheads.reports.perturbation_plots import (
    Pane,
    change_pane,
    panes_figure,
)
from manyheads.reports.plots import (
    accuracy_over_eps,
    rejection_bars,
    to_png,
    to_svg,
    training_curves,
)
from manyheads.reports.results import (
    HEADLINE,
    Challenge,
    Results,
)
from manyheads.reports.sections import (
    accuracy_section,
    eps_section,
    gain_section,
    gallery_section,
    hidden_section,
    rejection_section,
    sanity_section,
    training_section,
)
from manyheads.reports.surface_plots import (
    loss_surfaces,
)
from manyheads.reports.tables import (
    CLEAN,
    Printed,
    hidden_table,
    main_table,
    rejection_table,
)
from manyheads.reports.terminal import (
    to_rich,
)
from manyheads.reports.verdict import (
    Verdict,
    reach_verdicts,
)
from manyheads.reports.verdicts import (
    Caution,
    Finding,
    cautions,
    findings,
    richest,
)
from manyheads.reports.vulnerability_plots import (
    accuracy_over_pixels,
    norm_over_pixels,
    norm_over_tasks,
)
from manyheads.threats.knowledge import (
    ADAPTIVE,
    GRAY,
    WHITE,
)

__all__ = [
    "ADAPTIVE",
    "CHANGE",
    "CLEAN",
    "FOOLING",
    "GRAY",
    "HEADLINE",
    "MARKS",
    "MULTI",
    "POINTS",
    "RATIO",
    "SHARE",
    "SINGLE",
    "STANDARD_ENSEMBLE",
    "UNITS",
    "WHITE",
    "Card",
    "Caution",
    "Cell",
    "Challenge",
    "Checklist",
    "Column",
    "DenseExhibit",
    "DensePage",
    "DensePrinted",
    "DenseResults",
    "Exhibit",
    "Finding",
    "Heads",
    "Mark",
    "Measure",
    "Pairs",
    "Pane",
    "Picture",
    "Printed",
    "Provenance",
    "Publication",
    "ReportContents",
    "Results",
    "Row",
    "Section",
    "Table",
    "Verdict",
    "accuracy_over_eps",
    "accuracy_over_pixels",
    "accuracy_section",
    "cards",
    "cautions",
    "change_pane",
    "checklist",
    "dense_contents",
    "dense_eps_section",
    "dense_findings",
    "dense_gallery_section",
    "dense_report",
    "dense_scores_section",
    "dense_table",
    "dense_training_curves",
    "dense_training_section",
    "eps_section",
    "fact_sheet",
    "failed_checks",
    "findings",
    "fooling_table",
    "gain_account",
    "gain_section",
    "gain_table",
    "gains_by_threat",
    "gallery_section",
    "hidden_section",
    "hidden_table",
    "load_dense_exhibit",
    "load_exhibit",
    "loss_surfaces",
    "main_table",
    "measure_of",
    "norm_over_pixels",
    "norm_over_tasks",
    "own_task_table",
    "pair_figure",
    "pair_section",
    "pair_table",
    "panes_figure",
    "quantity",
    "reach_verdicts",
    "rejection_bars",
    "rejection_section",
    "rejection_table",
    "richest",
    "rises",
    "sanity_section",
    "scores_over_eps",
    "task_table",
    "tasks_section",
    "threats_in",
    "to_fact_json",
    "to_html",
    "to_markdown",
    "to_png",
    "to_rich",
    "to_svg",
    "training_curves",
    "training_section",
    "vulnerability_section",
    "write_report",
]
