"""The papers' printed numbers, as data."""

from dataclasses import dataclass
from importlib.resources import files

import polars as pl


@dataclass(frozen=True)
class Printed:
    """A paper's tables of accuracies.

    Args:
        main: columns `dataset, combination, training, evaluation, percent`: accuracy of the main task.
        hidden: the same for the hidden tasks (their mean where there are two).
    """

    main: pl.DataFrame
    hidden: pl.DataFrame


def hyun2024() -> Printed:
    """Tables 2 and 3 of Hyun & Park, IEEE Access 2024; null where the text of the paper has lost a number."""
    return Printed(_read("hyun2024_table2.csv"), _read("hyun2024_table3.csv"))


def _read(name: str) -> pl.DataFrame:
    text = files("manyheads.studies").joinpath("printed", name).read_bytes()
    return pl.read_csv(text, comment_prefix="#", schema_overrides={"percent": pl.Float64})
