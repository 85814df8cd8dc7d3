"""The stage of a run that asks whether its numbers can be believed: sanity checks, and the loss around images."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import isfinite
from typing import TypeVar

import polars as pl
from torch import nn

from manyheads.attacks import Attack, RaisingSuccess, Square
from manyheads.data import take
from manyheads.defences import Guard
from manyheads.evaluation import Facts, loss_surface, sanity_checks, unchecked
from manyheads.experiments.attackers import threat
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_trial import DenseTrial
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.progress import Bars
from manyheads.experiments.stages import Workshop
from manyheads.experiments.trial import Trial
from manyheads.threats import ThreatModel
from manyheads.types import Batch

Tried = TypeVar("Tried", Trial, DenseTrial)
"""A trial of any kind."""

QUERY_OF_LOSS = Square(queries=100)
"""The query attack of the checks where losses are compared."""

QUERY = RaisingSuccess(QUERY_OF_LOSS)
"""The query attack of the checks where right answers are compared."""


def is_examined(files: RunFiles, experiment: Experiment | DenseExperiment) -> bool:
    """Tell whether the checks are on disk, or none are wanted."""
    return not experiment.sanity_examples or files.sanity.exists()


def examine(shop: Workshop, victim: Guard, bars: Bars, *, facts: Facts) -> None:
    """Check a trained and attacked guard on a few test examples, unless that was done already.

    The checks attack the main head within the budget of the swept trial, or of the first one of limited size; threats
    are compared by the facts of the trials without a target.

    Args:
        shop: the run.
        victim: its guard.
        bars: where progress is shown.
        facts: what its trials found.
    """
    wanted = shop.experiment
    if is_examined(shop.files, wanted):
        return
    trial = _measured(wanted)
    if trial is None:
        keep(shop.files.sanity, unchecked("no attack of limited size was tried"))
        return
    test = take(shop.splits.test, count=min(wanted.sanity_examples, len(shop.splits.test)), seed=0)
    attacker = threat(trial, knowledge="gray-box", guard=victim, tasks=shop.tasks)
    with bars.bar(f"sanity checks of {wanted.name}"):
        check_and_keep(
            shop.files,
            victim,
            attacker=attacker,
            batches=list(shop.loader(test)),
            facts=_untargeted(facts, wanted),
            seed=wanted.seed,
        )


def check_and_keep(
    files: RunFiles,
    victim: nn.Module,
    *,
    attacker: ThreatModel,
    batches: Sequence[Batch],
    facts: Facts | None,
    seed: int,
    query: Attack = QUERY,
) -> None:
    """Check an evaluation, and keep what came out with the loss around a few images.

    Args:
        files: where it is kept.
        victim: a guard or a model.
        attacker: a threat on the main task of limited size.
        batches: the examples.
        facts: what untargeted attacks by several threats made of the victim; None for none.
        seed: decides all random starts.
        query: the attack without gradients.
    """
    keep(files.surface, loss_surface(attacker, batches, seed=seed))
    keep(files.sanity, sanity_checks(victim, attacker, batches, facts=facts, query=query, seed=seed))


def _measured(experiment: Experiment) -> Trial | None:
    """Find the trial whose budget the checks take, and attack without a target in it."""
    named = [experiment.trials[experiment.sweep_trial]] if experiment.sweep_trial in experiment.trials else []
    trial = first_limited((*named, *experiment.trials.values()))
    return replace(trial, goal="untargeted") if trial else None


def first_limited(trials: Iterable[Tried]) -> Tried | None:
    """Find the first trial whose budget is of limited size above zero; None where there is none."""
    return next((trial for trial in trials if trial.budget.eps > 0 and isfinite(trial.budget.eps)), None)


def _untargeted(facts: Facts, experiment: Experiment) -> Facts | None:
    names = [name for name, trial in experiment.trials.items() if trial.goal != "targeted"]
    kept = facts.table.filter(pl.col("attack").is_in(names))
    return Facts(kept) if len(kept) else None
