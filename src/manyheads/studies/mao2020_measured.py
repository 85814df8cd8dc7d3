"""What the runs of a part of the study of Mao et al. 2020 left behind, from all seeds, as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import polars as pl

from manyheads.experiments import RunFiles
from manyheads.reports import Cell, DenseResults, Measure
from manyheads.studies.mao2020_grids import Wish, letters_of
from manyheads.studies.mao2020_models import Runs


@dataclass(frozen=True, eq=False)
class Measured:
    """Finished runs of some models.

    Args:
        scores: the scores of all runs, with the columns `setting` and `seed`; models are called by the paper's letters.
        vulnerability: the vulnerability of those runs that measured it, with the columns `setting`, `model` and `seed`;
            without any column where none did.
    """

    scores: pl.DataFrame
    vulnerability: pl.DataFrame

    def results(self, attacks: Iterable[str], *, eps: float | None = None) -> DenseResults:
        """Scores under these attacks alone, in their order; `eps` to leave out those within other budgets."""
        order = list(attacks)
        chosen = self.scores.filter(pl.col("attack").is_in(order)).drop("setting")
        if eps is not None:
            chosen = chosen.filter((pl.col("eps") - eps).abs() < 1e-6)
        ranks = {attack: rank for rank, attack in enumerate(order)}
        rank = pl.col("attack").replace_strict(ranks, default=len(order), return_dtype=pl.Int64)
        return DenseResults(chosen.sort(rank, maintain_order=True))


def measured(wishes: Sequence[Wish], runs: Runs, *, seeds: Sequence[int]) -> Measured:
    """Read what the runs of these models left behind, in the order of the models.

    Raises:
        FileNotFoundError: if a run is not finished.
    """
    scores, vulnerability = [], []
    for setting, model in dict.fromkeys((wish.setting, wish.model) for wish in wishes):
        for seed in seeds:
            experiment = runs.experiment(model, setting=setting, seed=seed)
            files = RunFiles(experiment.run)
            if not files.scores.exists():
                raise FileNotFoundError(f"{files.folder} has no scores yet; run the study first")
            labels = {"setting": setting.name, "model": letters_of(model.tasks), "seed": seed}
            named = [pl.lit(value).alias(name) for name, value in labels.items()]
            scores.append(pl.read_parquet(files.scores).with_columns(named))
            if experiment.vulnerability is not None:
                vulnerability.append(pl.read_parquet(files.vulnerability).with_columns(named))
    found = pl.concat(vulnerability, how="diagonal_relaxed") if vulnerability else pl.DataFrame()
    return Measured(pl.concat(scores), found)


def over_seeds(values: Sequence[float], *, measure: Measure, n: int | None = None) -> Cell:
    """Make the cell of a number from several seeds: their mean, with the lowest and the highest of them.

    Args:
        values: the number from each seed; empty where nothing was measured.
        measure: what kind of number it is.
        n: how many examples each is of, where they were counted.
    """
    if not values:
        return Cell(measure=measure)
    several = len(values) > 1
    return Cell(
        value=fmean(values),
        low=min(values) if several else None,
        high=max(values) if several else None,
        n=n,
        seeds=len(values),
        measure=measure,
    )
