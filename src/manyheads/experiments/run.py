"""Run an experiment from data to scores, or go on with it where it was stopped."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from manyheads.evaluation import Facts
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.progress import Bars
from manyheads.experiments.stages import Workshop, attack_all, guard, score, train


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run left behind.

    Args:
        experiment: what was run.
        files: where everything lies.
        facts: what happened to each example.
        scores: shares with 95 % intervals.
    """

    experiment: Experiment
    files: RunFiles
    facts: Facts
    scores: pl.DataFrame


def run(experiment: Experiment, bars: Bars) -> Outcome:
    """Carry an experiment out: train, guard, attack, score.

    What is on disk already is not done again, so that a stopped run goes on and a finished one returns at once.

    Raises:
        ValueError: if the run's folder holds another experiment, or the experiment cannot be carried out.
    """
    files = RunFiles(experiment.run)
    files.claim(experiment)
    shop = Workshop(experiment, files)
    model = train(shop, bars)
    victim = guard(shop, model)
    facts = attack_all(shop, victim, bars)
    return Outcome(experiment, files, facts, score(shop, facts))


def sweep(experiments: Sequence[Experiment], bars: Bars) -> tuple[Outcome, ...]:
    """Run experiments one after another.

    Raises:
        ValueError: if two experiments share a folder.
    """
    folders = [experiment.run for experiment in experiments]
    shared = sorted({str(folder) for folder in folders if folders.count(folder) > 1})
    if shared:
        raise ValueError(f"two experiments would share {', '.join(shared)}; give each its own name")
    return tuple(run(experiment, bars) for experiment in experiments)
