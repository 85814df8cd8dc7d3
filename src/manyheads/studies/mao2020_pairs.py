"""Figure 7 of Mao et al. 2020: every task alone, and with every other as auxiliary."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from manyheads.reports import CHANGE, Pairs, Section, Table, measure_of, pair_section, rises
from manyheads.reports.dense_results import UNITS
from manyheads.studies.mao2020_attacks import PAIRED
from manyheads.studies.mao2020_grids import spelled
from manyheads.studies.mao2020_measured import Measured, over_seeds
from manyheads.studies.mao2020_printed import printed_pairs
from manyheads.tasks import relative_improvement

SCORES: Mapping[str, str] = {
    "segmentation": "miou",
    "depth": "absolute_error",
    "euclidean_depth": "absolute_error",
}
"""The score of each task, as the paper takes it; every other task's is `l1`."""

EVALUATIONS: Mapping[str, tuple[str, str]] = {"clean": ("fgsm", "clean"), "pgd50_eps4": (PAIRED, "attacked")}
"""Where the scores of an evaluation stand: trial and condition. FGSM goes over all test frames, so clean scores do."""

_KEY = ["evaluation", "main_task", "auxiliary_task"]
_GAIN, _BASELINE = "relative_improvement_percent", "single_task_baseline"
_TEXT = (
    "Rows are main tasks, columns auxiliary tasks of training; the main task is attacked. The paper's numbers are "
    "of Taskonomy, where the units of most tasks are others; its matrix is cut to the tasks that we have."
)


def pair_matrix(found: Measured) -> Section:
    """Show Fig. 7: relative improvements over the main task alone, clean and under PGD-50 at 4/255."""
    gains = improvements(found)
    mean = gains.group_by([*_KEY, "baseline_unit"], maintain_order=True).agg(pl.col(_GAIN, _BASELINE).mean())
    tasks = list(dict.fromkeys(gains["main_task"]))
    printed = printed_pairs().filter(pl.col("main_task").is_in(tasks), pl.col("auxiliary_task").is_in(tasks))
    pairs = Pairs(mean)
    section = pair_section(pairs, printed=Pairs(printed))
    tables = tuple(
        _with_spread(table, gains.filter(evaluation=evaluation), tasks=tasks)
        for table, evaluation in zip(section.tables, pairs.evaluations, strict=True)
    )
    return replace(section, title="Figure 7: pairs of tasks", text=(_TEXT, *section.text), tables=tables)


def improvements(found: Measured) -> pl.DataFrame:
    """Compute the relative improvement of every pair over its main task alone, seed by seed.

    The columns are those of a pair matrix, with `seed` and `baseline_unit`. An improvement on a score of zero, which
    has no percentage, is null.
    """
    rows = [
        {"seed": seed, **row}
        for (seed,), part in found.scores.group_by("seed", maintain_order=True)
        for evaluation in EVALUATIONS
        for row in _of_one_seed(part, evaluation=evaluation)
    ]
    return pl.DataFrame(rows, schema_overrides={_GAIN: pl.Float64})


def _of_one_seed(scores: pl.DataFrame, *, evaluation: str) -> Iterator[dict[str, object]]:
    attack, condition = EVALUATIONS[evaluation]
    rows = scores.filter(attack=attack, condition=condition, threat="single-task").iter_rows(named=True)
    values = {(row["model"], row["task"], row["score"]): row["value"] for row in rows}
    models = dict.fromkeys(model for model, *_ in values)
    mains = {spelled(model)[0]: model for model in models if " " not in model}
    for main, alone in mains.items():
        score = SCORES.get(main, "l1")
        measure, baseline = measure_of(score, unit=UNITS.get(main, "")), values[alone, main, score]
        for model in (one for one in models if one.split()[0] == alone and len(one.split()) <= 2):
            value = values[model, main, score]
            gain = None
            if model != alone and baseline and value is not None:
                gain = relative_improvement(value, baseline=baseline, higher_is_better=rises(score))
            yield {
                "evaluation": evaluation,
                "main_task": main,
                "auxiliary_task": spelled(model)[-1],
                _GAIN: gain,
                _BASELINE: measure.scale * baseline,
                "baseline_unit": measure.unit,
            }


def _with_spread(table: Table, gains: pl.DataFrame, *, tasks: Sequence[str]) -> Table:
    """Put the lowest and the highest of several seeds beside each mean."""
    if gains["seed"].n_unique() == 1:
        return table
    rows = []
    for main, row in zip(tasks, table.rows, strict=False):
        cells = [row.cells[0]]
        for auxiliary, cell in zip(tasks, row.cells[1:], strict=False):
            values = gains.filter(main_task=main, auxiliary_task=auxiliary)[_GAIN].drop_nulls().to_list()
            cells.append(replace(over_seeds(values, measure=CHANGE), printed=cell.printed) if values else cell)
        rows.append(replace(row, cells=(*cells, row.cells[-1])))
    return replace(table, rows=(*rows, *table.rows[len(tasks) :]))
