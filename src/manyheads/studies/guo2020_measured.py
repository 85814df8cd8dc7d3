"""What the runs of the study of Guo et al. 2020 left behind, from all seeds, as cells of tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import polars as pl

from manyheads.experiments import RunFiles
from manyheads.reports import SHARE, Cell, Measure
from manyheads.studies.guo2020_settings import GeneratorRuns
from manyheads.studies.guo2020_wishes import Wish


@dataclass(frozen=True)
class Question:
    """A number that was measured in each run of a generator.

    Args:
        wish: the generator.
        attack: the method, or the name of a reference attack that was run beside it.
        score: name of the score.
        task: whom the attack was made for: a domain, or a dense task, whose own score it is.
        victim: the model that was scored; None for that of the task.
        condition: on attacked images, or on clean ones.
    """

    wish: Wish
    attack: str
    score: str
    task: str
    victim: str | None = None
    condition: str = "attacked"


@dataclass(frozen=True, eq=False)
class Found:
    """Finished runs of some generators.

    Args:
        runs: where they are.
        seeds: each generator was trained from each of them.
        scores: the scores of all runs, with the columns `wish` (its data set and title) and `seed`.
    """

    runs: GeneratorRuns
    seeds: tuple[int, ...]
    scores: pl.DataFrame

    def rows(self, question: Question) -> list[dict]:
        """List the answers, seed after seed."""
        asked = question
        wanted = {"wish": _key(asked.wish), "attack": asked.attack, "threat": asked.task, "score": asked.score}
        chosen = self.scores.filter(pl.lit(value) == pl.col(name) for name, value in wanted.items())
        chosen = chosen.filter(pl.col("condition") == asked.condition, pl.col("model") == (asked.victim or asked.task))
        if asked.wish.data == "nyuv2":
            chosen = chosen.filter(pl.col("task") == asked.task)
        return chosen.sort("seed").to_dicts()

    def cell(self, question: Question, *, measure: Measure = SHARE) -> Cell:
        """Make the cell of a number: of one seed with its interval, of several their mean, lowest and highest."""
        return _cell([row for row in self.rows(question) if row["value"] is not None], measure=measure)

    def average(self, questions: Sequence[Question]) -> Cell:
        """Make the cell of the mean over several tasks, seed by seed; of one seed it has no interval."""
        means = self.means(questions)
        count = [row["n"] for question in questions for row in self.rows(question)]
        if not means:
            return Cell()
        several = len(means) > 1
        return Cell(
            value=fmean(means),
            low=min(means) if several else None,
            high=max(means) if several else None,
            n=min(count),
            seeds=len(means),
        )

    def means(self, questions: Sequence[Question]) -> list[float]:
        """Average over several tasks, seed by seed; empty where one was not measured."""
        values = [[row["value"] for row in self.rows(question)] for question in questions]
        return [fmean(one) for one in zip(*values, strict=False)] if values and all(values) else []


def found(wishes: Sequence[Wish], runs: GeneratorRuns, *, seeds: Sequence[int]) -> Found:
    """Read what the runs of these generators left behind.

    Raises:
        FileNotFoundError: if a run is not finished.
    """
    tables = []
    for wish in dict.fromkeys(wishes):
        for seed in seeds:
            files = RunFiles(runs.experiment(wish, seed=seed).run)
            if not files.scores.exists():
                raise FileNotFoundError(f"{files.folder} has no scores yet; run the study first")
            named = pl.lit(_key(wish)).alias("wish"), pl.lit(seed).alias("seed")
            tables.append(pl.read_parquet(files.scores).with_columns(*named))
    return Found(runs, tuple(seeds), pl.concat(tables, how="diagonal_relaxed"))


def printed_in(cell: Cell, number: float | None) -> Cell:
    """Lay a paper's number beside ours."""
    return cell if number is None else replace(cell, printed=number)


def difference(first: Sequence[float], second: Sequence[float], *, written: Callable[[float], str]) -> str:
    """Say by how much the first numbers exceed the second ones, seed by seed.

    >>> difference([0.75, 0.5], [0.5, 0.75], written=lambda value: f"{100 * value:+.0f}")
    '+0 (from -25 to +25 over 2 seeds)'
    """
    gaps = [one - other for one, other in zip(first, second, strict=True)]
    if len(gaps) == 1:
        return f"{written(gaps[0])} (1 seed)"
    return f"{written(fmean(gaps))} (from {written(min(gaps))} to {written(max(gaps))} over {len(gaps)} seeds)"


def _key(wish: Wish) -> str:
    return f"{wish.data}/{wish.title}"


def _cell(rows: Sequence[dict], *, measure: Measure) -> Cell:
    if not rows:
        return Cell(measure=measure)
    values = [row["value"] for row in rows]
    several = len(rows) > 1
    return Cell(
        value=fmean(values),
        low=min(values) if several else rows[0]["low"],
        high=max(values) if several else rows[0]["high"],
        n=min(row["n"] for row in rows),
        seeds=len(rows),
        measure=measure,
    )
