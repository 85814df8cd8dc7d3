"""Threat models: who attacks which model, wants what, knows what, and may change what."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from manyheads.models import Acceleration, accelerated
from manyheads.tasks import Task
from manyheads.threats.budget import Budget
from manyheads.threats.constrained import Anchored
from manyheads.threats.objective import Objective
from manyheads.types import Batch, Flags, Image, Outputs, PerExample, Truth

Score = Callable[[Outputs, Truth], PerExample]
"""An objective, or any function of the same form."""


@dataclass(frozen=True, eq=False)
class Loss:
    """What an attack sees: a function from images to one number per example, and whether each example is won.

    The model is seen in eval mode and left in the modes it had.

    Args:
        model: any module that maps images to a dict of outputs.
        objective: what the attacker raises.
        success: what is above zero exactly where the attacker has won; None if nobody said.
        truth: the true answers of these examples, by task name, and whatever else was noted of them.
    """

    model: nn.Module
    objective: Score
    success: Score | None
    truth: Truth

    def __call__(self, image: Image) -> PerExample:
        """Return the objective of each image.

        Raises:
            ValueError: if the objective does not return one number per example.
        """
        return _one_each(self.objective(self.outputs(image), self.truth), image)

    def margin(self, image: Image) -> PerExample:
        """Return by how much each image wins; above zero exactly where it does.

        Raises:
            ValueError: if the threat model does not say when the attacker has won, or not for each example.
        """
        if self.success is None:
            raise ValueError(
                "this objective does not tell when the attacker has won; give the threat model success=..."
            )
        return _one_each(self.success(self.outputs(image), self.truth), image)

    def won(self, image: Image) -> Flags:
        """Tell which images win.

        Raises:
            ValueError: if the threat model does not say when the attacker has won.
        """
        with torch.no_grad():
            return self.margin(image) > 0

    def terms(self, image: Image) -> Mapping[str, PerExample]:
        """Return the terms of the objective for each image, by name; one pass through the model serves all.

        Raises:
            ValueError: if a term is not one number per example.
        """
        found = self._terms(self.outputs(image), self.truth)
        return {name: _one_each(value, image) for name, value in found.items()}

    def only(self, term: str) -> "Loss":
        """Return the loss of an attacker who raises one term of the objective and wants the same success."""
        return replace(self, objective=lambda outputs, truth: self._terms(outputs, truth)[term])

    def noting(self, notes: Mapping[str, Tensor]) -> "Loss":
        """Return the loss whose objective is told more about each example; notes stand beside the truth, by name."""
        return replace(self, truth={**self.truth, **notes})

    def select(self, rows: Tensor) -> "Loss":
        """Keep some of the examples (indices or a mask)."""
        chosen = {name: value[rows] for name, value in self.truth.items()}
        return Loss(self.model, self.objective, self.success, chosen)

    def accelerated(self, how: Acceleration, *, example: Image) -> "Loss":
        """Return the same loss on a faster copy of the model, which was tried on the example.

        Raises:
            ValueError: if the model cannot be copied.
        """
        return replace(self, model=accelerated(self.model, how, example=example))

    def outputs(self, image: Image) -> Outputs:
        """Run the model in eval mode; to ask the answer for a task that it has no head for raises a ValueError."""
        with self.in_eval_mode():
            return _Heads(self.model(image))

    def in_eval_mode(self) -> AbstractContextManager[None]:
        """Hold the model in eval mode for as long as the context lasts, gradients included.

        An attack searches inside it: a model that recomputes activations in the backward pass must do so in eval mode.
        """
        return _all_in_eval_mode(self._modules)

    @property
    def knows_success(self) -> bool:
        """Whether the threat model says when the attacker has won; if not, `margin` and `won` raise."""
        return self.success is not None

    def _terms(self, outputs: Outputs, truth: Truth) -> Mapping[str, PerExample]:
        if isinstance(self.objective, Objective):
            return self.objective.terms(outputs, truth)
        return {"objective": self.objective(outputs, truth)}

    @cached_property
    def _modules(self) -> tuple[nn.Module, ...]:
        """The model's modules; walking over them at every step would cost more than the switch."""
        return tuple(self.model.modules())


class _Heads(dict[str, Tensor]):
    """What a model returned, by task name; it says so where a task is missing."""

    def __missing__(self, name: str) -> Tensor:
        raise ValueError(
            f"the model has no head for task {name!r}, it returns {', '.join(self) or 'nothing'}; attack another task, "
            "or train the model with this one"
        )


def _one_each(value: Tensor, image: Image) -> PerExample:
    if value.shape != image.shape[:1]:
        raise ValueError(
            f"an objective returns one number per example, shape ({len(image)},), got shape {tuple(value.shape)}; "
            "do not reduce over the batch"
        )
    return value


def in_eval_mode(model: nn.Module) -> AbstractContextManager[None]:
    """Switch every module of the model to eval mode, and each back to the mode it had."""
    return _all_in_eval_mode(model.modules())


@contextmanager
def _all_in_eval_mode(modules: Iterable[nn.Module]) -> Iterator[None]:
    training = [module for module in modules if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


@dataclass(frozen=True, kw_only=True, eq=False)
class ThreatModel:
    """One attacker: its name, the model it attacks, what it raises, what it may change.

    Args:
        name: what reports call it, for example `gray-box`.
        model: any module that maps images to a dict of outputs.
        tasks: all tasks whose truth is known; the objective decides which are attacked.
        objective: what the attacker raises.
        budget: which images are allowed.
        success: an objective above zero exactly where the attacker has won; None for the objective's own.
    """

    name: str
    model: nn.Module
    tasks: Sequence[Task]
    objective: Score
    budget: Budget
    success: Score | None = None

    def loss(self, batch: Batch) -> Loss:
        """Make what an attack on this batch sees; an `Anchored` objective sees the batch's clean images first."""
        success = self.success if self.success is not None else getattr(self.objective, "success", None)
        loss = Loss(self.model, self.objective, success, self.truth(batch))
        if not isinstance(self.objective, Anchored):
            return loss
        with torch.inference_mode(mode=False), torch.no_grad():
            return loss.noting(self.objective.anchors(loss.outputs(batch["image"].clone()), loss.truth))

    def truth(self, batch: Batch) -> Mapping[str, Tensor]:
        """Collect the true answers of a batch, by task name."""
        answers = {task.name: task.target(batch) for task in self.tasks}
        with torch.inference_mode(
            mode=False
        ):  # autograd refuses tensors made in inference mode, copies of them it takes
            return {name: answer.clone() if answer.is_inference() else answer for name, answer in answers.items()}
