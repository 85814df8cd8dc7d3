"""The printed numbers of Mao et al., ECCV 2020, as tables in this package's names and units."""

from importlib.resources import files
from typing import Literal

import polars as pl

PrintedTable = Literal["table1", "table2", "table3"]
"""The paper's tables."""

MEAN = "mean"
"""What stands for the auxiliary task in the printed mean of a row of figure 7."""


def printed_scores(table: PrintedTable) -> pl.DataFrame:
    """Read a printed table.

    Columns: `task`, `score`, `evaluation` (`clean` or an attack), `combination` (letters, as the paper orders them) and
    `value`: a share where the paper prints percent, else the number as printed.
    """
    return _read(table).select(
        "task", "score", "evaluation", "combination", (pl.col("printed") * pl.col("unit")).alias("value")
    )


def printed_pairs() -> pl.DataFrame:
    """Read the matrix of figure 7, in long form.

    Columns: `evaluation` (`clean` or `pgd50_eps4`), `main_task`, `auxiliary_task`, `relative_improvement_percent` (null
    for a task with itself), `single_task_baseline` and `baseline_unit`, the baseline's unit: `%` for the segmentation.
    """
    return _pairs().filter(pl.col("auxiliary_task") != MEAN)


def printed_means() -> pl.DataFrame:
    """Read the means over the auxiliary tasks that figure 7 prints, with the columns of `printed_pairs`."""
    return _pairs().filter(auxiliary_task=MEAN)


def _pairs() -> pl.DataFrame:
    baseline = (pl.col("printed_baseline") * pl.col("unit")).alias("single_task_baseline")
    unit = pl.when(main_task="segmentation").then(pl.lit("%")).otherwise(pl.lit("")).alias("baseline_unit")
    return _read("figure7").select(
        "evaluation", "main_task", "auxiliary_task", "relative_improvement_percent", baseline, unit
    )


def _read(name: str) -> pl.DataFrame:
    content = files("manyheads.studies").joinpath("printed", f"mao2020_{name}.csv").read_bytes()
    return pl.read_csv(content, schema_overrides={"unit": pl.Float64})
