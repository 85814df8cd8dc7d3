"""Validation of dense models: which epoch's weights are the best."""

from collections.abc import Iterable, Sequence

import torch
from lightning_fabric import Fabric
from torch import nn

from manyheads.defences import beside
from manyheads.experiments.dense_attackers import dense_threat
from manyheads.experiments.dense_trial import DenseHardening, DenseTrial
from manyheads.randomness import Streams
from manyheads.tasks import Task
from manyheads.threats import in_eval_mode
from manyheads.training.processes import added_up
from manyheads.types import Batch

SELECTION = "selection"
"""The measure by which the best weights are chosen: the main task's, its sign changed where lower is better."""


def validate(
    model: nn.Module,
    tasks: Sequence[Task],
    batches: Iterable[Batch],
    *,
    hardening: DenseHardening | None,
    fabric: Fabric,
) -> dict[str, float]:
    """Measure every task's headline score, under the hardening's own attack where there is one.

    `SELECTION` is the main task's, with its sign changed where lower is better.

    Args:
        model: the model.
        tasks: its tasks, main task first.
        batches: held-out frames; of several processes each gives its own part.
        hardening: how it is trained, or None for plain training.
        fabric: what this process works on, perhaps as one of several; all find the same.
    """
    counters = {task.name: task.metric() for task in tasks}
    for given in batches:
        batch = beside(model, given)
        image = batch["image"]
        if hardening is not None:
            trial = DenseTrial(hardening.attack, hardening.budget)
            threat = dense_threat(trial, attacked=hardening.attacked, model=model, tasks=tasks)
            streams = Streams.of_examples(batch["index"], seed=0, stage="selection")
            image = hardening.attack(threat.loss(batch), image, hardening.budget, rng=streams)
        with torch.no_grad(), in_eval_mode(model):
            outputs = model(image)
        for task in tasks:
            counters[task.name].update(outputs[task.name], task.target(batch))
    for counter in counters.values():
        counter.state = torch.tensor(added_up(counter.state.tolist(), fabric), dtype=counter.state.dtype)
    found = {f"{name} {counter.headline}": counter.scores()[counter.headline] for name, counter in counters.items()}
    main = counters[tasks[0].name]
    sign = 1 if main.higher_is_better else -1
    return {SELECTION: sign * found[f"{tasks[0].name} {main.headline}"], **found}
