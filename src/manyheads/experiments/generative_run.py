"""A generative run from trained victims to scores: what is on disk already is not done again."""

import polars as pl
from lightning_fabric import Fabric

from manyheads.evaluation import Facts
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.generative_experiment import GenerativeExperiment
from manyheads.experiments.generative_stages import (
    attack_victims,
    generative_facts_on_disk,
    generative_scores,
    open_generative_workshop,
    train_generator,
)
from manyheads.experiments.launch import launch
from manyheads.experiments.progress import Bars


def carry_out_generative(experiment: GenerativeExperiment, files: RunFiles, bars: Bars) -> tuple[Facts, pl.DataFrame]:
    """Load the victims, train the generator, attack, score; return facts and scores.

    Raises:
        ValueError: if the run's folder holds another experiment, or the experiment cannot be carried out.
    """
    facts = generative_facts_on_disk(files, experiment)
    if facts is None or not files.scores.exists():
        if facts is None and experiment.fabric.devices > 1:
            launch(_train_and_attack, experiment, devices=experiment.fabric, progress=files.progress, shown=bars)
        shop = open_generative_workshop(experiment, files, bars)
        facts = attack_victims(shop, train_generator(shop, bars), bars)
        keep(files.scores, generative_scores(shop, facts))
    return facts, pl.read_parquet(files.scores)


def _train_and_attack(experiment: GenerativeExperiment, fabric: Fabric, bars: Bars) -> None:
    """Do as one of several processes what they can share."""
    shop = open_generative_workshop(experiment, RunFiles(experiment.run), bars, fabric=fabric)
    attack_victims(shop, train_generator(shop, bars), bars)
