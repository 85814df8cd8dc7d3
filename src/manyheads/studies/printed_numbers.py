"""The papers' printed numbers, as data, keyed like our tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import polars as pl

from manyheads.reports import CLEAN, Printed

_HYUN2024 = {
    "natural": "plain",
    "adversarial": "hardened",
    "clean": CLEAN,
    "pgd_targeted": "pgd targeted",
    "pgd_untargeted": "pgd untargeted",
    "cw_untargeted": "cw",
}
"""Our names for the paper's trainings and evaluations."""


@dataclass(frozen=True)
class PrintedTables:
    """A paper's accuracies, as shares, by (combination, training, attack).

    Args:
        main: of the main task.
        hidden: of the hidden tasks, their mean where there are two.
    """

    main: Printed
    hidden: Printed


def hyun2024(data: str, *, hidden: Sequence[str]) -> PrintedTables:
    """Tables 2 and 3 of Hyun & Park, IEEE Access 2024, for one data set; empty for one that the paper has not.

    Args:
        data: name of the data set.
        hidden: our names of the paper's auxiliary tasks, in its order.
    """
    names = _HYUN2024 | {f"aux{place}": task for place, task in enumerate(hidden, start=1)}
    return PrintedTables(
        _keyed(read("hyun2024_table2"), data=data, names=names), _keyed(read("hyun2024_table3"), data=data, names=names)
    )


def read(table: str) -> pl.DataFrame:
    """Read one printed table; `percent` is null where the text of the paper has lost a number."""
    content = files("manyheads.studies").joinpath("printed", f"{table}.csv").read_bytes()
    return pl.read_csv(content, schema_overrides={"percent": pl.Float64, "note": pl.String})


def _keyed(table: pl.DataFrame, *, data: str, names: Mapping[str, str]) -> Printed:
    rows = table.filter(dataset=data).drop_nulls("percent").iter_rows(named=True)
    return {
        (_combination(row["combination"], names), names[row["training"]], names[row["evaluation"]]): row["percent"]
        / 100
        for row in rows
    }


def _combination(printed: str, names: Mapping[str, str]) -> str:
    """Translate `main+aux1` into our names."""
    return "+".join(names.get(part, part) for part in printed.split("+"))
