"""Surrogates: the model of an attacker who cannot see the victim, and hopes that what fools one fools the other."""

from dataclasses import replace
from math import ceil

from manyheads.data import Loader, Source, take
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.materials import make_model
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.training import Clean, Plan, fit

STEPS = 200
"""How many optimiser steps a surrogate is trained for, at most."""

_SEED = 1_000_000
"""Added to the run's seed: no victim of a study starts from these weights."""


def train_surrogate(experiment: Experiment, *, train: Source, main: Task) -> MultiTaskModel:
    """Train an attacker's own model: the victim's encoder and optimiser, the main task alone, plainly, briefly.

    It takes at most `STEPS` optimiser steps and no more epochs than the victim, from weights of its own.

    Args:
        experiment: the victim's.
        train: the victim's training examples.
        main: the victim's main task.
    """
    wanted = experiment.training
    other = replace(experiment, seed=experiment.seed + _SEED)
    model = make_model(other, tasks=[main], image_shape=train.image_shape)
    count = min(len(train), STEPS * wanted.batch_size)
    batches = Loader(
        take(train, count=count, seed=other.seed),
        batch_size=wanted.batch_size,
        seed=other.seed,
        shuffle=True,
        workers=experiment.workers,
    )
    epochs = min(wanted.epochs, max(1, STEPS // ceil(count / wanted.batch_size)))
    plan = Plan(epochs=epochs, schedule=wanted.schedule, seed=other.seed)
    fit(model, Clean([main]), batches, optimizer=wanted.optimizer.build(model.parameters()), plan=plan)
    return model
