"""Gradients of a model's losses with respect to its image: one per task, from one forward pass."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manyheads.defences import beside
from manyheads.tasks import Task, known
from manyheads.threats import Budget, in_eval_mode
from manyheads.types import Batch, Image, PerExample, Truth


def dual_size(gradient: Image, budget: Budget) -> PerExample:
    """Return the dual norm of each gradient: how much a step of size one, in the budget's norm, can raise the loss.

    L1 of the gradient for an L∞ budget, L2 for L2, the largest entry for L1; the budget's eps does not matter.

    >>> from manyheads.threats import L2, Linf
    >>> gradient = torch.tensor([[[[3.0, -4.0]]]])
    >>> dual_size(gradient, Linf(0.1)), dual_size(gradient, L2(0.1))
    (tensor([7.]), tensor([5.]))
    """
    return (gradient * budget.steepest(gradient)).flatten(1).sum(1)


@dataclass(frozen=True, eq=False)
class Judged:
    """Examples with a target for each of some tasks, on the model's device.

    Args:
        image: their images.
        index: their numbers in the data set.
        truth: their true answers, by task name.
    """

    image: Image
    index: Tensor
    truth: Truth

    def select(self, rows: Tensor) -> "Judged":
        """Keep some of the examples (indices or a mask)."""
        return Judged(self.image[rows], self.index[rows], {name: value[rows] for name, value in self.truth.items()})


def judged(model: nn.Module, tasks: Sequence[Task], batches: Iterable[Batch]) -> Iterator[Judged]:
    """Yield what has a target for every task; without an `index` the examples are counted.

    Raises:
        ValueError: if nothing has, at the end.
    """
    seen = found = 0
    for given in batches:
        batch = beside(model, given)
        image = batch["image"].detach()
        index = batch.get("index", torch.arange(seen, seen + len(image), device=image.device))
        truth = {task.name: task.target(batch) for task in tasks}
        complete = torch.stack([known(answer) for answer in truth.values()]).all(0)
        seen += len(image)
        found += int(complete.sum())
        if complete.any():
            yield Judged(image, index, truth).select(complete)
    if not found:
        names = ", ".join(task.name for task in tasks)
        raise ValueError(f"none of {seen} examples has a target for every task ({names}); leave some task out")


def task_gradients(
    model: nn.Module, tasks: Sequence[Task], examples: Judged
) -> Float[Tensor, "tasks batch channel height width"]:
    """Return the gradient of each task's loss with respect to each image; one forward pass, one backward per task.

    The model is seen in eval mode and left in the modes it had; its parameters get no gradients.

    Raises:
        ValueError: if a task's loss does not depend on the image.
    """
    with torch.inference_mode(mode=False), torch.enable_grad(), in_eval_mode(model):
        image = examples.image.clone().requires_grad_()
        outputs = model(image)
        losses = [task.loss(outputs[task.name], examples.truth[task.name]) for task in tasks]
        found = [input_gradient(loss, image, name=task.name) for task, loss in zip(tasks, losses, strict=True)]
    return torch.stack(found)


def input_gradient(loss: PerExample, image: Image, *, name: str) -> Image:
    """Return the gradient of each example's loss with respect to its image; the graph stays for other losses.

    Raises:
        ValueError: if the loss does not depend on the image; it is called by the name of its task.
    """
    if loss.requires_grad:
        (gradient,) = torch.autograd.grad(loss.sum(), image, retain_graph=True, allow_unused=True)
        if gradient is not None:
            return gradient
    raise ValueError(f"the loss of {name!r} has no gradient with respect to the image; look for detach() or no_grad()")
