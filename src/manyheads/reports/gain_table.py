"""Tables of gains: what hidden tasks add, in percentage points, under each attack and threat."""

from collections.abc import Mapping, Sequence

import polars as pl

from manyheads.evaluation import CLEAN, WORST
from manyheads.reports.cells import Cell, Column, Row, Table
from manyheads.reports.measures import POINTS
from manyheads.reports.results import Challenge, Results, budget_label
from manyheads.threats.knowledge import ADAPTIVE, GRAY, KNOWLEDGE, WHITE

_MODEL = ("model", "baseline", "attack", "norm", "eps")
_ACCOUNT_NOTE = (
    "Gains with their 95 % intervals, by paired bootstrap over images and training seeds; all other numbers are means "
    "over the seeds. Shares are in %, gains in percentage points. Worst of all: each image's worst threat, for both "
    "models."
)
_SHOWN = (GRAY, WHITE, ADAPTIVE, WORST)
_NOTE = (
    "More images right or rejected (clean: right and accepted) than the same training without hidden tasks keeps, on "
    "the same images; intervals by paired bootstrap. Worst of all: each image's worst threat, for both models. "
)


def gain_table(gains: pl.DataFrame, results: Results) -> Table:
    """Tabulate gains: rows are task combinations, blocks of columns trainings, a column for each attack and threat.

    Args:
        gains: as `manyheads.evaluation.gains` makes them.
        results: the models, in their order; those without a gain have no row.
    """
    found = {
        (row["model"], row["attack"], row["norm"], row["eps"], row["threat"]): row
        for row in gains.iter_rows(named=True)
    }
    compared = set(gains["model"])
    trainings = [one for one in results.trainings if compared & set(results.models.filter(training=one)["model"])]
    columns = tuple(column for training in trainings for column in _columns(results.challenges, training=training))

    def cells(combination: str) -> tuple[Cell, ...]:
        made = []
        for training in trainings:
            model = results.model(combination, training=training)
            keys = [(one.attack, one.norm, one.eps) for one in results.challenges]
            clean = next((row for key in keys if (row := found.get((model, *key, CLEAN)))), None)
            made += [_cell(clean), *(_cell(found.get((model, *key, threat))) for key in keys for threat in _SHOWN)]
        return tuple(made)

    rows = tuple(
        Row(labels=(combination,), cells=cells(combination))
        for combination in results.combinations
        if compared & set(results.models.filter(combination=combination)["model"])
    )
    return Table(title="What hidden tasks add", stub=("tasks",), columns=columns, rows=rows, note=_NOTE.strip())


def gain_account(accounts: Mapping[str, pl.DataFrame], *, title: str) -> Table:
    """Tabulate what models keep with and without hidden tasks, and the difference: a column for each threat.

    Rows are, for each model and attack, what the baseline keeps, then what each account says that the model keeps, and
    how much more that is.

    Args:
        accounts: gains as `manyheads.evaluation.gains` makes them, by what is counted as kept.
        title: what the table shows.

    Raises:
        ValueError: if there is no account.
    """
    if not accounts:
        raise ValueError("a table of gains needs at least one account of them, got none")
    every = pl.concat(list(accounts.values()))
    threats = threats_in(every)
    rows = []
    for key in every.select(_MODEL).unique(maintain_order=True).iter_rows(named=True):
        attack = f"{key['attack']} ({budget_label(norm=key['norm'], eps=key['eps'])})"
        found = {name: account.filter(**key) for name, account in accounts.items()}
        without = next(iter(found.values()))
        lines = {key["baseline"]: [_share(row, "kept_baseline") for row in _by_threat(without, threats)]}
        for name, account in found.items():
            lines[f"{key['model']}: {name}"] = [_share(row, "kept") for row in _by_threat(account, threats)]
            lines[f"{key['model']}: {name}, gain"] = [_cell(row) for row in _by_threat(account, threats)]
        rows += [Row(labels=(attack, label), cells=tuple(cells)) for label, cells in lines.items()]
    columns = tuple(Column("by threat", threat) for threat in threats)
    return Table(title=title, stub=("attack", "model"), columns=columns, rows=tuple(rows), note=_ACCOUNT_NOTE)


def threats_in(gains: pl.DataFrame) -> tuple[str, ...]:
    """Name the threats of some gains: clean images first, then who knows least, last the worst of all."""
    measured = set(gains["threat"])
    return tuple(threat for threat in (CLEAN, *KNOWLEDGE, WORST) if threat in measured)


def _by_threat(gains: pl.DataFrame, threats: Sequence[str]) -> list[dict | None]:
    rows = {row["threat"]: row for row in gains.iter_rows(named=True)}
    return [rows.get(threat) for threat in threats]


def _share(row: dict | None, name: str) -> Cell:
    return Cell() if row is None else Cell(value=row[name], n=row["n"])


def _columns(challenges: Sequence[Challenge], *, training: str) -> list[Column]:
    named = [Column(training, one.label, threat) for one in challenges for threat in _SHOWN]
    return [Column(training, CLEAN), *named]


def _cell(row: dict | None) -> Cell:
    if row is None:
        return Cell(measure=POINTS)
    return Cell(value=row["gain"], low=row["low"], high=row["high"], n=row["n"], measure=POINTS)
