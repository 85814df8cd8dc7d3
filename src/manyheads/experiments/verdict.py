"""What finished runs say of themselves: sanity checks, and the verdict over checks and gains."""

from collections.abc import Mapping

import polars as pl

from manyheads.experiments.finished import Finished, title
from manyheads.reports import Checklist, Verdict, checklist, reach_verdicts, richest


def checked(finished: Finished) -> Checklist:
    """Lay the sanity checks of all runs side by side; older runs, and those that wanted none, have none."""
    return checklist(finished.checks)


def surfaces(finished: Finished) -> Mapping[str, pl.DataFrame]:
    """Read the loss around images of the models that the verdict is about."""
    shown = _spoken_of(finished)
    named = zip(finished.experiments, finished.runs, strict=True)
    wanted = {title(one): files.surface for one, files in named if title(one) in shown}
    return {model: pl.read_parquet(path) for model, path in wanted.items() if path.exists()}


def reached(finished: Finished) -> tuple[Verdict, ...]:
    """Say, of the model with most hidden tasks of each training, what was claimed and what stands."""
    return reach_verdicts(finished.gains, checked(finished), models=_spoken_of(finished))


def _spoken_of(finished: Finished) -> tuple[str, ...]:
    """Name the model with most hidden tasks of each training."""
    results = finished.results
    found = (richest(results, training) for training in results.trainings)
    return tuple(model for model in found if model is not None)
