"""A dense run from frames to scores: what is on disk already is not done again."""

import polars as pl
from lightning_fabric import Fabric

from manyheads.evaluation import Facts, dense_scores
from manyheads.experiments.dense_examination import examine_dense
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_stages import (
    attack_dense,
    dense_facts_on_disk,
    measure_vulnerability,
    open_dense_workshop,
    train_dense,
)
from manyheads.experiments.examination import is_examined
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.launch import launch
from manyheads.experiments.progress import Bars


def carry_out_dense(experiment: DenseExperiment, files: RunFiles, bars: Bars) -> tuple[Facts, pl.DataFrame]:
    """Train, attack, measure vulnerability, check, score; return facts and scores.

    Raises:
        ValueError: if the run's folder holds another experiment, or the experiment cannot be carried out.
    """
    facts = dense_facts_on_disk(files, experiment)
    measured = experiment.vulnerability is None or files.vulnerability.exists()
    done = facts is not None and measured and is_examined(files, experiment) and files.scores.exists()
    if facts is None or not done:
        if facts is None and experiment.fabric.devices > 1:
            launch(_train_and_attack, experiment, devices=experiment.fabric, progress=files.progress, shown=bars)
        shop = open_dense_workshop(experiment, files)
        model = train_dense(shop, bars)
        facts = attack_dense(shop, model, bars)
        measure_vulnerability(shop, model, bars)
        examine_dense(shop, model, bars, facts=facts)
        keep(files.scores, dense_scores(facts, shop.tasks))
    return facts, pl.read_parquet(files.scores)


def _train_and_attack(experiment: DenseExperiment, fabric: Fabric, bars: Bars) -> None:
    """Do as one of several processes what they can share."""
    shop = open_dense_workshop(experiment, RunFiles(experiment.run), fabric=fabric)
    attack_dense(shop, train_dense(shop, bars), bars)
