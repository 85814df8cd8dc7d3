"""The stage of a dense run that asks whether its numbers can be believed."""

from dataclasses import replace

from torch import nn

from manyheads.evaluation import DENSE_CHECKS, Facts, unchecked
from manyheads.experiments.dense_attackers import dense_threat
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_stages import DenseWorkshop
from manyheads.experiments.dense_trial import DenseTrial
from manyheads.experiments.examination import QUERY_OF_LOSS, check_and_keep, first_limited, is_examined
from manyheads.experiments.files import keep
from manyheads.experiments.progress import Bars


def examine_dense(shop: DenseWorkshop, model: nn.Module, bars: Bars, *, facts: Facts | None) -> None:
    """Check a trained and attacked model on a few test frames, unless that was done already.

    The checks attack the main task within the budget of the first swept trial, or of the first one of limited size.

    Args:
        shop: the run.
        model: its model.
        bars: where progress is shown.
        facts: what its trials found; None for none.
    """
    wanted = shop.experiment
    if is_examined(shop.files, wanted):
        return
    trial = _measured(wanted)
    if trial is None:
        keep(shop.files.sanity, unchecked("no attack of limited size was tried", checks=DENSE_CHECKS))
        return
    with bars.bar(f"sanity checks of {wanted.name}"):
        check_and_keep(
            shop.files,
            model,
            attacker=dense_threat(trial, attacked="main", model=model, tasks=shop.tasks),
            batches=list(shop.loader(shop.splits.test, examples=wanted.sanity_examples)),
            facts=facts,
            seed=wanted.seed,
            query=QUERY_OF_LOSS,
        )


def _measured(experiment: DenseExperiment) -> DenseTrial | None:
    """Find the trial whose budget the checks take, and raise the main task's own loss in it."""
    swept = [experiment.trials[name] for name in experiment.sweep_trials]
    trial = first_limited((*swept, *experiment.trials.values()))
    return replace(trial, goal="loss", attacked="main") if trial else None
