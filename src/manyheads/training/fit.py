"""The training loop: one for every kind of model and step, on Lightning Fabric."""

from collections.abc import Callable, Iterable, Mapping, Sized
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, field
from math import isnan
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from manyheads.deferral import deferred
from manyheads.training.checkpointing import Checkpoints
from manyheads.training.combine import Combine, Equal
from manyheads.training.dynamic_average import Informed
from manyheads.training.processes import added_up, check_counts, share_buffers, weighed
from manyheads.training.progress import Measurement, Progress
from manyheads.training.schedule import Constant, Schedule
from manyheads.training.steps import Scheduled, Step
from manyheads.training.tally import Tally
from manyheads.types import Batch

Validate = Callable[[nn.Module], Mapping[str, float]]
"""Measures a model on held-out data; higher is better."""


def _unwatched(done: float, losses: Mapping[str, float]) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long to train, and what to keep.

    Args:
        epochs: how many passes over the batches.
        schedule: factor on the learning rate.
        validate: measures the model after each epoch, in eval mode; None for no validation. With several processes
            the first one's answer counts for all.
        select: the measure by which the best weights are chosen and training stops early; of equally good epochs the
            last is the best.
        patience: stop after so many epochs in a row that were worse than the best; None for never.
        checkpoints: where weights and the resume state go; None to keep nothing on disk.
        seed: decides what a model draws from torch's own generators in training (dropout).
        watch: called after each batch with the share of training that is done and the losses; on a CUDA device they may
            be those of an earlier batch of the epoch, and empty before any are known.

    Raises:
        ValueError: if there is no epoch, or patience without an epoch or a validation to wait for.
    """

    epochs: int = 1
    schedule: Schedule = field(default_factory=Constant)
    validate: Validate | None = None
    select: str = "robust"
    patience: int | None = None
    checkpoints: Checkpoints | None = None
    seed: int = 0
    watch: Callable[[float, Mapping[str, float]], None] = _unwatched

    def __post_init__(self) -> None:
        """Refuse a plan without epochs, and patience without anything to watch."""
        if self.epochs < 1:
            raise ValueError(f"training needs at least one epoch, got {self.epochs}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience is at least one epoch, got {self.patience}; None never stops")
        if self.patience is not None and self.validate is None:
            raise ValueError("patience needs validate=..., or nothing tells when to stop")


def fit(
    model: nn.Module,
    step: Step,
    batches: Iterable[Batch],
    *,
    optimizer: torch.optim.Optimizer,
    combine: Combine | None = None,
    fabric: Fabric | None = None,
    plan: Plan | None = None,
) -> tuple[Measurement, ...]:
    """Train a model in place and return the history of its losses and validation measures.

    With `plan.checkpoints` an interrupted run goes on from its last finished epoch and ends with the same weights, bit
    by bit, as one that was not interrupted; a finished run returns its history at once. The model is left in eval mode
    with its last weights; the best ones are in the checkpoints.

    With several processes (after `fabric.launch()`) each gives its own part of the examples, in the same number of
    batches. Gradients are averaged over the processes, each weighing as much as it has examples, so they train like one
    process with their joint batches, but for batch normalisation: it sees each part by itself, and keeps the first
    process's statistics. A task's mean over the examples that have a target is one over each process's own.

    Args:
        model: the model, not set up by Fabric yet; it is moved to Fabric's device.
        step: from the model (in train mode) and a batch to one loss per task.
        batches: anything that can be iterated once per epoch; `set_epoch` is called where it exists.
        optimizer: of the model's parameters.
        combine: how the losses become gradients; None for their plain sum.
        fabric: devices and precision; None for one CPU or the first accelerator.
        plan: how long to train and what to keep; None for one epoch.

    Raises:
        ValueError: if an epoch has no batches, a step gives no loss or one that is not finite, or validation lacks the
            selected measure; if processes have unequal numbers of batches; if a checkpoint is damaged.
    """
    plan = plan or Plan()
    fabric = fabric or Fabric(devices=1)
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    run = _Run(wrapped, step, optimizer=wrapped_optimizer, fabric=fabric, plan=plan)
    progress = _resume(model, optimizer, fabric=fabric, checkpoints=plan.checkpoints)
    while progress.epoch < plan.epochs and progress.patient(plan.patience):
        run.combine = combine.given(progress.history) if isinstance(combine, Informed) else combine or Equal()
        losses = run.epoch(batches, number=progress.epoch)
        model.eval()
        progress = progress.after(losses, measures=_measures(model, plan, fabric=fabric), select=plan.select)
        if plan.checkpoints is not None:
            if fabric.is_global_zero:
                state = _state(optimizer, progress, fabric=fabric)
                plan.checkpoints.save(model, state, is_best=progress.best_epoch == progress.epoch)
            fabric.barrier()
    model.eval()
    return progress.history


class _Run:
    """What stays the same from epoch to epoch."""

    def __init__(
        self,
        model: nn.Module,
        step: Step,
        *,
        optimizer: Any,  # noqa: ANN401 (Fabric's wrapper has no public type)
        fabric: Fabric,
        plan: Plan,
    ) -> None:
        self.model, self.step, self.optimizer = model, step, optimizer
        self.combine: Combine = Equal()
        self.fabric, self.plan = fabric, plan
        self.rates = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]

    def epoch(self, batches: Iterable[Batch], *, number: int) -> dict[str, float]:
        """Train one epoch and return each task's mean loss."""
        set_epoch = getattr(batches, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(number)
        listed, count = _counted(batches)
        check_counts(count, self.fabric)
        tally = Tally()
        self.model.train()
        # Nothing in here reads from the device: it always has work to do.
        with torch.random.fork_rng(devices=_cuda(self.fabric.device)), deferred():
            torch.manual_seed(self.plan.seed * 1_000_003 + number)
            for place, batch in enumerate(listed):
                self._batch(self.fabric.to_device(dict(batch)), epoch=number + place / count, tally=tally)
                self.plan.watch((number + (place + 1) / count) / self.plan.epochs, tally.latest)
        if not tally.examples:
            raise ValueError("an epoch of training had no batches; the data is empty, or an iterator that is used up")
        share_buffers(self.model, self.fabric)
        *totals, seen = added_up([*tally.sums.values(), float(tally.examples)], self.fabric)
        return {name: total / seen for name, total in zip(tally.sums, totals, strict=True)}

    def _batch(self, batch: Batch, *, epoch: float, tally: Tally) -> None:
        """Take one optimiser step and note the losses."""
        factor = self.plan.schedule.factor(epoch, epochs=self.plan.epochs)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        done = epoch / self.plan.epochs
        step = self.step.at(done) if isinstance(self.step, Scheduled) else self.step
        losses = step(self.model, batch)
        tally.take(losses, examples=len(next(iter(batch.values()))), epoch=epoch)
        self.optimizer.zero_grad()
        self.combine.backward(weighed(losses, batch, self.fabric), self.fabric)
        self.optimizer.step()


def _counted(batches: Iterable[Batch]) -> tuple[Iterable[Batch], int]:
    """Count the batches of an epoch; where they cannot tell, all are read first."""
    if isinstance(batches, Sized):
        with suppress(TypeError):  # a data loader has a length only if its data set has one
            return batches, len(batches)
    listed = list(batches)
    return listed, len(listed)


def _cuda(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []


def _measures(model: nn.Module, plan: Plan, *, fabric: Fabric) -> dict[str, float]:
    """Validate; all processes go by what the first one found."""
    if plan.validate is None:
        return {}
    measures = {name: float(value) for name, value in plan.validate(model).items()}
    if isnan(measures.get(plan.select, float("nan"))):
        raise ValueError(f"the best weights are chosen by {plan.select!r}, but validation gave {measures}")
    return fabric.broadcast(measures)


def _state(optimizer: torch.optim.Optimizer, progress: Progress, *, fabric: Fabric) -> dict[str, Any]:
    """Collect what a resume needs beside the weights, in types that load without running code."""
    return {
        "optimizer": optimizer.state_dict(),
        "precision": fabric.strategy.precision.state_dict(),  # the scale of losses in half precision
        **asdict(progress),
        "history": [astuple(line) for line in progress.history],
    }


def _resume(
    model: nn.Module, optimizer: torch.optim.Optimizer, *, fabric: Fabric, checkpoints: Checkpoints | None
) -> Progress:
    """Go on from the last finished epoch, if there is one."""
    state = checkpoints.load() if checkpoints is not None else None
    if state is None:
        return Progress()
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    if state.get("precision"):
        fabric.strategy.precision.load_state_dict(state["precision"])
    history = tuple(Measurement(*line) for line in state["history"])
    return Progress(epoch=state["epoch"], best=state["best"], best_epoch=state["best_epoch"], history=history)
