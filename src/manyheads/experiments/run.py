"""Run an experiment from data to scores, or go on with it where it was stopped."""

from dataclasses import dataclass

import polars as pl
from lightning_fabric import Fabric

from manyheads.evaluation import Facts
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_run import carry_out_dense
from manyheads.experiments.examination import examine, is_examined
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.generative_experiment import AnyExperiment, GenerativeExperiment
from manyheads.experiments.generative_run import carry_out_generative
from manyheads.experiments.launch import launch
from manyheads.experiments.progress import Bars
from manyheads.experiments.stages import attack_all, facts_on_disk, guard, open_workshop, score, train


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run left behind.

    Args:
        experiment: what was run.
        files: where everything lies.
        facts: what happened to each example.
        scores: all scores with 95 % intervals.
    """

    experiment: AnyExperiment
    files: RunFiles
    facts: Facts
    scores: pl.DataFrame


def run(experiment: AnyExperiment, bars: Bars) -> Outcome:
    """Carry an experiment out: train, guard, attack, check, score.

    A dense model has no guard and is not checked; a generator's victims are carried out before it.

    What is on disk already is not done again, so that a stopped run goes on; a finished one returns at once, without
    its data, and leaves its files as they are.

    Where `experiment.fabric` names several devices, training and attacks are shared by as many processes; what is done
    once, such as the checks, is done by this one. A script that asks for several needs `if __name__ == "__main__":`
    around its work, since each process imports it.

    Args:
        experiment: what to carry out.
        bars: where progress is shown.

    Raises:
        ValueError: if the run's folder holds another experiment, or the experiment cannot be carried out.
        ChildProcessError: if one of several processes was lost.
    """
    files = RunFiles(experiment.run)
    files.refuse_other(experiment)
    match experiment:
        case DenseExperiment():
            facts, scores = carry_out_dense(experiment, files, bars)
        case Experiment():
            facts, scores = _carry_out(experiment, files, bars)
        case GenerativeExperiment(victim_runs=victims):
            for victim in victims.values():
                run(victim, bars)
            facts, scores = carry_out_generative(experiment, files, bars)
    return Outcome(experiment, files, facts, scores)


def _carry_out(experiment: Experiment, files: RunFiles, bars: Bars) -> tuple[Facts, pl.DataFrame]:
    facts = facts_on_disk(files, experiment)
    if facts is None or not is_examined(files, experiment):
        if facts is None and experiment.fabric.devices > 1:
            launch(_train_and_attack, experiment, devices=experiment.fabric, progress=files.progress, shown=bars)
        shop = open_workshop(experiment, files)
        victim = guard(shop, train(shop, bars))
        facts = attack_all(shop, victim, bars)
        examine(shop, victim, bars, facts=facts)
    return facts, score(files, facts)


def _train_and_attack(experiment: Experiment, fabric: Fabric, bars: Bars) -> None:
    """Do as one of several processes what they can share."""
    shop = open_workshop(experiment, RunFiles(experiment.run), fabric=fabric)
    attack_all(shop, guard(shop, train(shop, bars)), bars)
