"""Finished runs on one data set, told apart by their tasks and their training."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from manyheads.evaluation import Facts, gains, joined
from manyheads.experiments.attackers import assaults
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.reports import GRAY, WHITE, Results


@dataclass(frozen=True, eq=False)
class Finished:
    """Finished runs on one data set, ready to be reported together.

    Args:
        runs: their folders, in the order of the tables.

    Raises:
        ValueError: if there is none, one has no scores yet, or two are of one combination and training.
    """

    runs: tuple[RunFiles, ...]

    def __post_init__(self) -> None:
        """Refuse what has nothing to report, and what no table could tell apart."""
        if not self.runs:
            raise ValueError("a report needs at least one finished run, got none")
        unfinished = [str(files.folder) for files in self.runs if not files.scores.exists()]
        if unfinished:
            raise ValueError(f"these runs have no scores yet: {', '.join(unfinished)}; run them first")
        places: dict[str, Path] = {}
        for one, files in zip(self.experiments, self.runs, strict=True):
            if title(one) in places:
                raise ValueError(
                    f"{places[title(one)]} and {files.folder} both hold a model {title(one)!r}, which no table could "
                    "tell apart; report each by itself"
                )
            places[title(one)] = files.folder

    @cached_property
    def experiments(self) -> tuple[Experiment, ...]:
        """What was run."""
        return tuple(files.read_as(Experiment) for files in self.runs)

    @property
    def date(self) -> str:
        """Day on which the last of them was finished (UTC)."""
        when = max(files.scores.stat().st_mtime for files in self.runs)
        return datetime.fromtimestamp(when, tz=UTC).date().isoformat()

    @cached_property
    def everything(self) -> Results:
        """All scores, those over a range of eps included.

        A model without hidden tasks has the same white-box numbers as gray-box ones: all its heads are the main head.
        """
        parts = []
        for one, files in zip(self.experiments, self.runs, strict=True):
            scores = pl.read_parquet(files.scores).with_columns(pl.lit(title(one)).alias("model"))
            parts.append(scores)
            if not one.hidden:
                parts.append(scores.filter(threat=GRAY).with_columns(pl.lit(WHITE).alias("threat")))
        rows = [(title(one), combination(one), training(one)) for one in self.experiments]
        models = pl.DataFrame(rows, schema=["model", "combination", "training"], orient="row")
        return Results(pl.concat(parts), models)

    @cached_property
    def results(self) -> Results:
        """The scores of the trials at their own budgets."""
        budgets = [
            (title(one), name, float(trial.budget.eps))
            for one in self.experiments
            for name, trial in one.trials.items()
        ]
        own = pl.DataFrame(budgets, schema=["model", "attack", "eps"], orient="row")
        scores = self.everything.scores.join(own, on=["model", "attack", "eps"], how="semi", maintain_order="left")
        return Results(scores, self.everything.models)

    @cached_property
    def gains(self) -> pl.DataFrame:
        """What every model with hidden tasks keeps more than the one of the same training without, trial by trial.

        Empty where there is nothing to compare, or the facts are gone.
        """
        return gains([self.facts] if self.facts is not None else [], baselines=self.baselines)

    @cached_property
    def baselines(self) -> dict[str, str]:
        """The model without hidden tasks of the same training, for every model with some; both with their facts."""
        known = set() if self.facts is None else set(self.facts.table["model"])
        pairs = {title(one): self.results.baseline(training(one)) for one in self.experiments if one.hidden}
        return {model: base for model, base in pairs.items() if base is not None and {model, base} <= known}

    @cached_property
    def facts(self) -> Facts | None:
        """Facts of all trials at their own budgets, under the models' names in reports; None where none are left."""
        found = [_facts(one, files) for one, files in zip(self.experiments, self.runs, strict=True)]
        known = [facts for facts in found if facts is not None]
        return joined(known) if known else None

    @cached_property
    def checks(self) -> dict[str, pl.DataFrame]:
        """Sanity checks by model, for every run that has any."""
        named = zip(self.experiments, self.runs, strict=True)
        return {title(one): pl.read_parquet(files.sanity) for one, files in named if files.sanity.exists()}


def title(experiment: Experiment) -> str:
    """Short name of a model among those on the same data."""
    return f"{combination(experiment)} {training(experiment)}"


def combination(experiment: Experiment) -> str:
    """Name of a model's combination of tasks."""
    return "+".join(["main", *experiment.hidden])


def training(experiment: Experiment) -> str:
    """Name of a model's kind of training."""
    return "plain" if experiment.training.hardening is None else "hardened"


def _facts(experiment: Experiment, files: RunFiles) -> Facts | None:
    """Read what is there of the facts of the trials at their own budgets, under the model's name in reports."""
    own = {(name, float(trial.budget.eps)) for name, trial in experiment.trials.items()}
    paths = [
        files.facts_of(one.knowledge, trial=one.name, eps=one.eps)
        for one in assaults(experiment)
        if (one.name, one.eps) in own
    ]
    found = [Facts.load(path) for path in paths if path.exists()]
    if not found:
        return None
    return Facts(joined(found).table.with_columns(pl.lit(title(experiment)).alias("model")))
