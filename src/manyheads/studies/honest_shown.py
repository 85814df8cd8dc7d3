"""What the honest study shows of one data set: verdicts over all seeds, the account of gains, and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from manyheads.evaluation import Facts, gains
from manyheads.experiments import Finished
from manyheads.reports import (
    Checklist,
    Picture,
    Section,
    Table,
    Verdict,
    checklist,
    gain_account,
    gains_by_threat,
    reach_verdicts,
    to_svg,
)

HEADS, REJECTING = "right", "right or rejected"
"""What counts as kept: the main head's answer alone, or with the guard's rejection."""

_ROLE = (
    "The first account is of the main head alone: what hidden heads add by being trained. The second counts a rejected "
    "image as kept (clean images: as lost), which adds what the guard does. Both are compared with the model of the "
    "same training, data and seed that has no hidden task, on the same images."
)


@dataclass(frozen=True, eq=False)
class Shown:
    """One data set's finished runs.

    Args:
        title: what the data set is called.
        finished: its runs, seed after seed.
    """

    title: str
    finished: Sequence[Finished]

    @cached_property
    def accounts(self) -> Mapping[str, pl.DataFrame]:
        """Gains over all seeds, by what is counted as kept.

        Raises:
            ValueError: if the facts of a run are gone.
        """
        known = [one.facts for one in self.finished if one.facts is not None]
        models = [set(one.everything.models["model"]) for one in self.finished]
        if [set(found.table["model"]) for found in known] != models:
            raise ValueError(f"facts of runs on {self.title} are gone; delete these runs and run them anew")
        baselines = self.finished[0].baselines
        alone = [Facts(_unguarded(found.table)) for found in known]
        return {HEADS: gains(alone, baselines=baselines), REJECTING: gains(known, baselines=baselines)}

    @cached_property
    def checks(self) -> Checklist:
        """The sanity checks of every model, seed after seed."""
        tables: dict[str, list[pl.DataFrame]] = {}
        for one in self.finished:
            seed = one.experiments[0].seed
            for model, table in one.checks.items():
                tables.setdefault(model, []).append(
                    table.with_columns(pl.format("{} (seed {})", "check", pl.lit(seed)).alias("check"))
                )
        return checklist({model: pl.concat(parts) for model, parts in tables.items()})

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What was claimed of the models with hidden tasks, and what stands over all seeds."""
        models = tuple(self.finished[0].baselines)
        return reach_verdicts(self.accounts[REJECTING], self.checks, models=models)

    @property
    def table(self) -> Table:
        """What models keep with and without hidden tasks, under each threat."""
        return gain_account(self.accounts, title=f"{self.title}: what hidden tasks and rejection add")

    def section(self) -> Section:
        """Make the section of a page."""
        pictures = []
        for model in self.finished[0].baselines:
            found = {name: account.filter(model=model) for name, account in self.accounts.items()}
            figure = gains_by_threat(found, title=f"{self.title}, {model}")
            says = f"Gains of {model} on {self.title} over the same training without hidden tasks, by threat."
            pictures.append(Picture(svg=to_svg(figure), says=says))
        told = [f"{one.title}. {' '.join(line for line in one.lines if line)}" for one in self.verdicts]
        return Section(
            title=self.title,
            text=(*told, _ROLE),
            tables=(self.table,),
            pictures=tuple(pictures),
            checklists=(self.checks,) if self.checks.rows else (),
        )


def _unguarded(table: pl.DataFrame) -> pl.DataFrame:
    """Let nobody reject anything."""
    return table.with_columns(pl.lit(value=False).alias(name) for name in ("rejected_clean", "rejected_attacked"))
