"""Surrogates: the model of an attacker who cannot see the victim, and hopes that what fools one fools the other."""

from dataclasses import replace
from math import ceil

from lightning_fabric import Fabric

from manyheads.data import Loader, Source, take
from manyheads.experiments.devices import alone_on
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.materials import make_model
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.training import Clean, Plan, fit
from manyheads.training.processes import share_weights

STEPS = 200
"""How many optimiser steps a surrogate is trained for, at most."""

_SEED = 1_000_000
"""Added to the run's seed: no victim of a study starts from these weights."""


def train_surrogate(
    experiment: Experiment, *, train: Source, main: Task, fabric: Fabric | None = None
) -> MultiTaskModel:
    """Train an attacker's own model: the victim's encoder and optimiser, the main task alone, plainly, briefly.

    It takes at most `STEPS` optimiser steps and no more epochs than the victim, from weights of its own. Of several
    processes the first one trains it, and gives its weights to all: so that it is the same model for any number.

    Args:
        experiment: the victim's.
        train: the victim's training examples.
        main: the victim's main task.
        fabric: what this process works on; None for the experiment's devices, in one process.
    """
    fabric = fabric or experiment.fabric.alone()
    other = replace(experiment, seed=experiment.seed + _SEED)
    model = make_model(other, tasks=[main], image_shape=train.image_shape)
    if fabric.is_global_zero:
        _fit_alone(model, other, train=train, main=main, fabric=fabric)
    model.eval()
    share_weights(fabric.to_device(model), fabric)
    return model


def _fit_alone(model: MultiTaskModel, other: Experiment, *, train: Source, main: Task, fabric: Fabric) -> None:
    wanted = other.training
    count = min(len(train), STEPS * wanted.batch_size)
    batches = Loader(
        take(train, count=count, seed=other.seed),
        batch_size=wanted.batch_size,
        seed=other.seed,
        shuffle=True,
        workers=other.workers,
    )
    epochs = min(wanted.epochs, max(1, STEPS // ceil(count / wanted.batch_size)))
    plan = Plan(epochs=epochs, schedule=wanted.schedule, seed=other.seed)
    optimizer = wanted.optimizer.build(model.parameters())
    fit(model, Clean([main]), batches, optimizer=optimizer, fabric=alone_on(fabric), plan=plan)
