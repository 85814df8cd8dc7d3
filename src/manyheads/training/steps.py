"""Training steps: from a model and a batch to one mean loss per task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast, runtime_checkable

from lightning_fabric.wrappers import is_wrapped
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from manyheads.attacks import (
    BIM,
    MIM,
    PGD,
    Aggregated,
    Attack,
    LastIteratePGD,
    MixedPerturbations,
    Restarts,
    UnscaledMIM,
    WorstOf,
)
from manyheads.randomness import Streams
from manyheads.tasks import Task, known
from manyheads.threats import Budget, TaskLoss, ThreatModel
from manyheads.types import Batch, Image

Step = Callable[[nn.Module, Batch], Mapping[str, Tensor]]
"""Any function from a model (in train mode) and a batch to one loss per task."""


@runtime_checkable
class Scheduled(Protocol):
    """A step that changes as training goes on."""

    def at(self, progress: float) -> Step:
        """Return the step to take when this share of training, in [0, 1), is done."""
        ...


@dataclass(frozen=True)
class Clean:
    """Train every task on the images as they are.

    Args:
        tasks: the tasks to train, main and hidden alike.
    """

    tasks: Sequence[Task]

    def __call__(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Return the mean loss of each task."""
        return mean_losses(model, batch["image"], batch=batch, tasks=self.tasks)


@dataclass(frozen=True)
class Adversarial:
    """Train every task on images attacked through some of them.

    The attack sees the model in eval mode and only the losses of `attacked`; all tasks then train on its image.

    Args:
        tasks: the tasks to train, main and hidden alike.
        attacked: weights of the losses that the attack raises, by task name.
        attack: the inner attack.
        budget: which images it may choose.

    Reference: Hyun & Park, IEEE Access 2024, eqs. 6 and 7 (whose printed inner `min` is a max); Madry et al.,
    ICLR 2018.
    """

    tasks: Sequence[Task]
    attacked: Mapping[str, float]
    attack: Attack
    budget: Budget

    def __call__(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Attack the batch, then return the mean loss of each task on the attacked images."""
        objective = TaskLoss(self.tasks, self.attacked)
        threat = ThreatModel(
            name="training", model=bare(model), tasks=self.tasks, objective=objective, budget=self.budget
        )
        streams = Streams(batch["stream"]).fork("training attack") if "stream" in batch else None
        attacked = self.attack(threat.loss(batch), batch["image"], self.budget, rng=streams)
        return mean_losses(model, attacked, batch=batch, tasks=self.tasks)


@dataclass(frozen=True)
class Ramped:
    """Adversarial training whose budget (and step size) grows linearly from zero over the first part of training.

    A large budget from the first batch on can hold training at chance for a long time.

    Args:
        step: the step at full budget.
        share: the share of training over which the budget grows, in [0, 1].

    Raises:
        ValueError: if the share is not in [0, 1].
    """

    step: Adversarial
    share: float

    def __post_init__(self) -> None:
        """Refuse a ramp that never ends."""
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is a share of training, in [0, 1], got {self.share}")

    def __call__(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Take the step at full budget."""
        return self.step(model, batch)

    def at(self, progress: float) -> Step:
        """Return the step with the budget of this moment."""
        factor = 1.0 if progress >= self.share else min(max(progress, 1e-3) / self.share, 1.0)
        budget = replace(self.step.budget, eps=self.step.budget.eps * factor)
        return replace(self.step, attack=_shorter(self.step.attack, factor=factor), budget=budget)


def mean_losses(model: nn.Module, image: Image, *, batch: Batch, tasks: Sequence[Task]) -> Mapping[str, Tensor]:
    """Run the model and return each task's loss, averaged over the examples whose truth is known; 0 if there are none.

    Args:
        model: maps images to one output per task.
        image: what the model sees; an attack may have changed it.
        batch: what the truth is taken from, that of tasks whose truth is computed from the image included: so it must
            hold the clean image.
        tasks: the tasks to train.
    """
    outputs = model(image)
    return {task.name: _mean_loss(task, outputs[task.name], truth=task.target(batch)) for task in tasks}


def _mean_loss(task: Task, output: Tensor, *, truth: Tensor) -> Tensor:
    counts = known(truth)
    losses = task.loss(output, truth)
    return losses.where(counts, 0).sum() / counts.sum().clamp(min=1)


def bare(model: nn.Module) -> nn.Module:
    """Unwrap a model from what Fabric and data-parallel training put around it."""
    while is_wrapped(model) or isinstance(model, DataParallel | DistributedDataParallel):
        model = cast("nn.Module", model.module)
    return model


def _shorter(attack: Attack, *, factor: float) -> Attack:
    """Multiply the step size of an attack, and of the attacks that it is made of."""
    match attack:
        case PGD() | LastIteratePGD() | BIM() | MIM() | UnscaledMIM() | Aggregated():
            return replace(attack, step_size=attack.step_size * factor)
        case Restarts() | MixedPerturbations():
            return replace(attack, attack=_shorter(attack.attack, factor=factor))
        case WorstOf():
            return replace(attack, attacks=tuple(_shorter(part, factor=factor) for part in attack.attacks))
        case _:
            return attack
