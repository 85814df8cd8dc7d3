"""Attacks on several tasks at once that treat the tasks' gradients, or their perturbations, apart."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.attacks.ascent import ascend
from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.derivative import gradients
from manyheads.attacks.gradient import PGD
from manyheads.attacks.termed import TermedLoss, termed
from manyheads.randomness import Streams
from manyheads.threats import Budget, column
from manyheads.types import Image, PerExample

Aggregator = Callable[[Float[Tensor, "tasks parameters"]], Float[Tensor, " parameters"]]
"""What makes one direction of several; every TorchJD aggregator is one."""


@dataclass(frozen=True)
class Aggregated(Attack):
    """PGD along a direction that an aggregator makes of the tasks' gradients, example by example.

    At every step one forward pass serves all tasks, and each has a backward pass of its own. The aggregator sees, for
    one example, a matrix with a row of pixels per task: any of TorchJD's will do, for example
    `torchjd.aggregation.UPGrad()`. One that draws random numbers draws them from the example's own; one with a memory
    is reset before each use. The image with the highest sum of terms is returned.

    Args:
        aggregator: from a matrix `(tasks, parameters)` to a vector.
        steps: how many steps.
        step_size: length of each step in the budget's norm, in pixel units.
        random_start: begin at a point drawn uniformly from the budget instead of the clean image.

    Raises:
        ValueError: if there is no step or it has no length.

    Reference: Quinton & Rey, 2024 (Jacobian descent), of whose idea this is the ascent, in images.
    """

    aggregator: Aggregator
    steps: int = 40
    step_size: float = 0.01
    random_start: bool = True

    def __post_init__(self) -> None:
        """Refuse a schedule that goes nowhere."""
        PGD(self.steps, self.step_size)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Climb.

        Raises:
            TypeError: if the loss does not name its terms.
            ValueError: if the aggregator does not return one number per pixel, or a number is not finite.
        """
        start = clean
        if self.random_start:
            start = budget.project(clean + budget.noise(clean, rng), clean)
        steered = _Steered(termed(loss), self.aggregator, rng.fork("aggregator"))
        return ascend(
            steered,
            start,
            clean=clean,
            budget=budget,
            steps=self.steps,
            step_size=self.step_size,
            heading=lambda gradient: gradient,
        )


@dataclass(eq=False)
class _Steered:
    """The sum of the terms, whose gradient is what the aggregator makes of theirs."""

    loss: TermedLoss
    aggregator: Aggregator
    rng: Streams
    step: int = field(default=0)

    def __call__(self, image: Image) -> PerExample:
        if not image.requires_grad:
            return torch.stack(list(self.loss.terms(image).values())).sum(0)
        found = list(gradients(lambda image: list(self.loss.terms(image).values()), image))
        total = torch.stack([value for value, _ in found]).sum(0)
        jacobian = torch.stack([gradient.flatten(1) for _, gradient in found], dim=1)
        seeds = self.rng.fork(self.step).seeds.tolist()
        self.step += 1
        rows = [self._direction(matrix, seed=seed) for matrix, seed in zip(jacobian, seeds, strict=True)]
        pull = (image.flatten(1) * torch.stack(rows)).sum(1)
        return total + (pull - pull.detach())

    def _direction(self, matrix: Tensor, *, seed: int) -> Tensor:
        reset = getattr(self.aggregator, "reset", None)
        if reset is not None:
            reset()
        on_gpu = [matrix.device] if matrix.is_cuda else []
        with torch.random.fork_rng(devices=on_gpu), torch.no_grad():
            torch.default_generator.manual_seed(seed % 2**63)
            if on_gpu:
                torch.cuda.manual_seed(seed % 2**63)
            direction = self.aggregator(matrix)
        if direction.shape != matrix.shape[1:]:
            raise ValueError(
                f"an aggregator makes one number per pixel, {matrix.shape[1]}, of a matrix of {matrix.shape[0]} tasks; "
                f"got shape {tuple(direction.shape)}"
            )
        return direction


@dataclass(frozen=True)
class MixedPerturbations(Attack):
    """One perturbation per task, each made alone, then mixed: most of the first task's, a little of each other's.

    The first task's share is drawn uniformly from `[lowest, 1)`, the others share the rest evenly. A mixture of allowed
    images is allowed, in every norm. It need not be stronger than its parts: it is meant for training.

    Args:
        attack: makes each task's perturbation.
        lowest: the smallest share of the first task.

    Raises:
        ValueError: if the lowest share is not in [0, 1].

    Reference: the code that follows Hyun & Park, IEEE Access 2024 (`clean + a δ_main + (1 − a) δ_aux`, a ~ U(0.5, 1)).
    Differs from it in: the share is drawn for each example, not for each batch, and there may be several other tasks.
    """

    attack: Attack = field(default_factory=PGD)
    lowest: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0 <= self.lowest <= 1:
            raise ValueError(f"lowest is the first task's smallest share, in [0, 1], got {self.lowest}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Attack each task alone and mix.

        Raises:
            TypeError: if the loss does not name its terms.
        """
        given = termed(loss)
        with torch.no_grad():
            names = list(given.terms(clean))
        changes = [
            self.attack.search(given.only(name), clean, budget=budget, rng=rng.fork(place)).detach() - clean
            for place, name in enumerate(names)
        ]
        if len(changes) == 1:
            return budget.project(clean + changes[0], clean)
        share = (self.lowest + (1 - self.lowest) * rng.fork("share").uniform()).to(clean.dtype)
        rest = torch.stack(changes[1:]).mean(0)
        return budget.project(clean + column(share) * changes[0] + column(1 - share) * rest, clean)
