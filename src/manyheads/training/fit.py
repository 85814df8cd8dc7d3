"""The training loop: one for every kind of model and step, on Lightning Fabric."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from math import isfinite
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from manyheads.training.checkpointing import Checkpoints
from manyheads.training.combine import Combine, Equal
from manyheads.training.schedule import Constant, Schedule
from manyheads.training.steps import Scheduled, Step, bare
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
        validate: measures the model after each epoch, in eval mode; None for no validation.
        select: the measure by which the best weights are chosen and training stops early.
        patience: stop after so many epochs without a better `select`; None for never.
        checkpoints: where weights and the resume state go; None to keep nothing on disk.
        seed: decides what a model draws from torch's own generators in training (dropout).
        watch: called after each batch with the share of training that is done and the losses.
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
        if self.patience is not None and self.validate is None:
            raise ValueError("patience needs validate=..., or nothing tells when to stop")


@dataclass(frozen=True)
class Measurement:
    """One line of a training history: the epoch (from 0), `train` (mean loss of a task) or `validation`, the value."""

    epoch: int
    phase: str
    measure: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where training stands after an epoch."""

    epoch: int = 0
    best: float = float("-inf")
    best_epoch: int = 0
    history: tuple[Measurement, ...] = ()


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

    With `plan.checkpoints` an interrupted run goes on where it stood, with the same weights bit by bit. The model is
    left with its last weights; the best ones are in the checkpoints.

    Args:
        model: the model; it is moved to Fabric's device.
        step: from the model (in train mode) and a batch to one loss per task.
        batches: anything that can be iterated once per epoch; `set_epoch` is called where it exists.
        optimizer: of the model's parameters.
        combine: how the losses become gradients; None for their plain sum.
        fabric: devices and precision; None for one CPU or the first accelerator.
        plan: how long to train and what to keep; None for one epoch.

    Raises:
        ValueError: if an epoch has no batches, a loss is not finite, or validation lacks the selected measure.
    """
    plan = plan or Plan()
    fabric = fabric or Fabric(devices=1)
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    run = _Run(wrapped, step, optimizer=wrapped_optimizer, combine=combine or Equal(), fabric=fabric, plan=plan)
    progress = _resume(model, optimizer, plan.checkpoints)
    while progress.epoch < plan.epochs and not _out_of_patience(progress, plan):
        losses = run.epoch(batches, number=progress.epoch)
        progress = _after(progress, losses, measures=_measures(model, plan), select=plan.select)
        if plan.checkpoints is not None and fabric.is_global_zero:
            is_best = progress.best_epoch == progress.epoch
            plan.checkpoints.save(model, _state(optimizer, progress), is_best=is_best)
    return progress.history


class _Run:
    """What stays the same from epoch to epoch."""

    def __init__(  # noqa: PLR0913 (one value per part of `fit`)
        self,
        model: nn.Module,
        step: Step,
        *,
        optimizer: Any,  # noqa: ANN401 (Fabric's wrapper has no public type)
        combine: Combine,
        fabric: Fabric,
        plan: Plan,
    ) -> None:
        self.model, self.step, self.optimizer = model, step, optimizer
        self.combine, self.fabric, self.plan = combine, fabric, plan
        self.rates = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]

    def epoch(self, batches: Iterable[Batch], *, number: int) -> dict[str, float]:
        """Train one epoch and return each task's mean loss."""
        set_epoch = getattr(batches, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(number)
        listed = batches if hasattr(batches, "__len__") else list(batches)
        total: dict[str, float] = {}
        examples = 0
        self.model.train()
        with torch.random.fork_rng(devices=_cuda(self.fabric.device)):
            torch.manual_seed(self.plan.seed * 1_000_003 + number)
            for place, batch in enumerate(listed):
                losses = self._batch(self.fabric.to_device(dict(batch)), epoch=number + place / len(listed))
                size = len(next(iter(batch.values())))
                examples += size
                for name, value in losses.items():
                    total[name] = total.get(name, 0.0) + value * size
        if not examples:
            raise ValueError("an epoch of training had no batches; the data is empty, or was an iterator that is used up")
        return {name: value / examples for name, value in total.items()}

    def _batch(self, batch: Batch, *, epoch: float) -> dict[str, float]:
        """Take one optimiser step and return the losses."""
        factor = self.plan.schedule.factor(epoch, epochs=self.plan.epochs)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        done = epoch / self.plan.epochs
        step = self.step.at(done) if isinstance(self.step, Scheduled) else self.step
        losses = step(self.model, batch)
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        broken = [name for name, value in values.items() if not isfinite(value)]
        if broken:
            raise ValueError(
                f"the loss of {', '.join(broken)} is not finite at epoch {epoch:.2f}; lower the learning rate"
            )
        self.optimizer.zero_grad()
        self.combine.backward(losses, self.fabric)
        self.optimizer.step()
        self.plan.watch(done, values)
        return values


def _cuda(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []


def _measures(model: nn.Module, plan: Plan) -> dict[str, float]:
    """Validate, in eval mode."""
    if plan.validate is None:
        return {}
    model.eval()
    measures = dict(plan.validate(bare(model)))
    if plan.select not in measures:
        raise ValueError(f"the best weights are chosen by {plan.select!r}, but validation gave {sorted(measures)}")
    return measures


def _after(
    progress: Progress, losses: Mapping[str, float], *, measures: Mapping[str, float], select: str
) -> Progress:
    """Add a finished epoch to the history; the later of two equally good epochs counts as better."""
    epoch = progress.epoch + 1
    lines = [Measurement(progress.epoch, "train", name, value) for name, value in losses.items()]
    lines += [Measurement(progress.epoch, "validation", name, value) for name, value in measures.items()]
    history = (*progress.history, *lines)
    if measures.get(select, float("-inf")) < progress.best or not measures:
        return replace(progress, epoch=epoch, history=history)
    return Progress(epoch=epoch, best=measures[select], best_epoch=epoch, history=history)


def _out_of_patience(progress: Progress, plan: Plan) -> bool:
    return plan.patience is not None and progress.epoch - progress.best_epoch > plan.patience


def _state(optimizer: torch.optim.Optimizer, progress: Progress) -> dict[str, Any]:
    """What a resume needs beside the weights, in types that load without running code."""
    return {"optimizer": optimizer.state_dict(), **asdict(progress), "history": [astuple(m) for m in progress.history]}


def _resume(model: nn.Module, optimizer: torch.optim.Optimizer, checkpoints: Checkpoints | None) -> Progress:
    """Go on from the last finished epoch, if there is one."""
    state = checkpoints.load() if checkpoints is not None else None
    if state is None:
        return Progress()
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    history = tuple(Measurement(*line) for line in state["history"])
    return Progress(epoch=state["epoch"], best=state["best"], best_epoch=state["best_epoch"], history=history)
