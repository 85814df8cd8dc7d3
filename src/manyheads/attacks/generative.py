"""Trained generators as attacks: one forward pass, no gradient."""

from dataclasses import dataclass

import torch

from manyheads.attacks.attack import Attack, Loss
from manyheads.models import Perturber
from manyheads.randomness import Streams
from manyheads.threats import Budget, in_eval_mode, perturbed
from manyheads.types import Image


@dataclass(frozen=True, eq=False)
class Generative(Attack):
    """A trained generator's perturbation, scaled down to the budget, added, and clamped to [0, 1].

    The loss is ignored: all that the attack knows was learned in training (`Fooling`), and any threat model may ask
    what it does to another victim. Nothing is drawn. The perturber runs in eval mode and is left as found.

    Args:
        perturber: makes one raw perturbation per image, universal or from the image.
        task: whose perturbation it is to make.

    Raises:
        ValueError: if the perturber has no such task.

    Reference: Guo et al. 2020 (MTA), section 3; Poursaeed et al., CVPR 2018.
    """

    perturber: Perturber
    task: str

    def __post_init__(self) -> None:
        """Refuse a task that nothing was trained for."""
        if self.task not in self.perturber.tasks:
            raise ValueError(
                f"this perturber has no task {self.task!r}; it was made for {', '.join(self.perturber.tasks)}"
            )

    @torch.no_grad()
    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (all was learned)
        """Perturb."""
        weight = next(self.perturber.parameters(), clean)
        with in_eval_mode(self.perturber):
            raw = self.perturber({self.task: clean.to(weight)})[self.task]
        return perturbed(clean, raw=raw.to(clean), budget=budget)
