"""Figures 4 and 5 of Mao et al. 2020: gradients over output pixels and tasks, and scores over eps."""

import polars as pl

from manyheads.reports import (
    SHARE,
    Column,
    Picture,
    Row,
    Section,
    Table,
    quantity,
    scores_over_eps,
    to_svg,
    vulnerability_section,
)
from manyheads.studies.mao2020_attacks import SWEPT
from manyheads.studies.mao2020_measured import Measured, over_seeds
from manyheads.tasks import PAPER_LETTERS

_NORM = quantity("")
_PRINTED_AS_CURVES = "The paper prints these numbers as curves only."


def vulnerability(found: Measured) -> Section:
    """Show Fig. 4: (a) gradients and (b) accuracies over output pixels, (c) gradients of models of more tasks."""
    pixels, accuracy = (_over(found, name) for name in ("pixels", "pixel accuracy"))
    grown = _grown(found)
    section = vulnerability_section(pixels=pixels, accuracy=accuracy, tasks=grown)
    text = (
        "(a, b) Random pixels of the segmentation of a model that has this task alone; the mean of their losses is "
        "raised, and their own accuracy counted. (c) One model for each number of tasks, all of which are attacked "
        f"together. The norm is dual to L∞. {_PRINTED_AS_CURVES}"
    )
    tables = (_pixel_table(pixels, accuracy), _task_table(grown))
    shown = section or Section(title="")
    return Section(title="Figure 4: vulnerability", text=(text, *shown.text), tables=tables, pictures=shown.pictures)


def over_eps(found: Measured) -> Section:
    """Show Fig. 5: every task's score over eps, all tasks attacked together, models of more and more tasks."""
    results = found.results([SWEPT])
    alone = {task: letter for letter, task in PAPER_LETTERS.items()}
    pictures = []
    for task in results.tasks():
        models = sorted(results.having(task), key=lambda model: len(model.split()))
        figure = scores_over_eps(results, main=task, threat="multi-task", attack=SWEPT, models=models)
        says = f"{task} over eps: the model of {alone[task]} alone, and those of more tasks."
        pictures.append(Picture(svg=to_svg(figure), says=says))
    text = f"All tasks of a model are attacked together. {_PRINTED_AS_CURVES}"
    return Section(title="Figure 5: all tasks attacked together, over ε", text=(text,), pictures=tuple(pictures))


def _over(found: Measured, name: str) -> pl.DataFrame:
    """One of the curves over output pixels; draws of all seeds count alike."""
    return found.vulnerability.filter(over=name)


def _grown(found: Measured) -> pl.DataFrame:
    """All tasks of each model that was grown task by task: one row per model and seed."""
    curves = found.vulnerability.filter(over="tasks")
    curves = curves.filter(setting=curves.sort("number")["setting"][-1])  # pixels may be of another setting
    whole = curves.filter(pl.col("number") == pl.col("model").str.split(" ").list.len())
    return whole.with_columns(pl.col("model").str.replace_all(" ", "").alias("tasks"))


def _pixel_table(pixels: pl.DataFrame, accuracy: pl.DataFrame) -> Table:
    attacks = list(dict.fromkeys(accuracy["attack"]))
    rows = []
    for number in sorted(set(pixels["number"])):
        norms, hits = pixels.filter(number=number), accuracy.filter(number=number)
        cells = [over_seeds(_by_seed(norms, column), measure=_NORM) for column in ("measured", "predicted")]
        for attack in attacks:
            chosen = hits.filter(attack=attack)
            cells.append(over_seeds(_by_seed(chosen, "accuracy"), measure=SHARE, n=_count(chosen)))
        rows.append(Row(labels=(str(number),), cells=tuple(cells)))
    return Table(
        title="Over the number of output pixels",
        stub=("pixels",),
        columns=(*_norm_columns(), *(Column("", "accuracy of these pixels", attack) for attack in attacks)),
        rows=tuple(rows),
        note="Means over draws of pixels. Accuracy in %.",
    )


def _task_table(grown: pl.DataFrame) -> Table:
    rows = []
    for tasks in dict.fromkeys(grown.sort("number", maintain_order=True)["tasks"]):
        chosen = grown.filter(tasks=tasks)
        cells = [over_seeds(_by_seed(chosen, column), measure=_NORM) for column in ("measured", "predicted")]
        rows.append(Row(labels=(tasks,), cells=tuple(cells)))
    return Table(title="Over the number of tasks", stub=("tasks",), columns=_norm_columns(), rows=tuple(rows))


def _norm_columns() -> tuple[Column, ...]:
    return tuple(Column("", "norm of the joint gradient", name) for name in ("measured", "predicted"))


def _by_seed(table: pl.DataFrame, column: str) -> list[float]:
    """Mean over the draws, seed by seed."""
    return table.group_by("seed", maintain_order=True).agg(pl.col(column).mean())[column].drop_nulls().to_list()


def _count(table: pl.DataFrame) -> int:
    """How many pixels one seed's mean is of."""
    return min(table.group_by("seed").agg(pl.col("n").sum())["n"].to_list(), default=0)
