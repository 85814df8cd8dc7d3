"""Attacks that follow the gradient: FGSM, BIM, PGD and MIM, the last two in two forms.

All but `LastIteratePGD` return, example by example, the image of highest loss among their start and all their steps,
the last included.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from manyheads.attacks.ascent import ascend, climb
from manyheads.attacks.attack import Attack, Loss
from manyheads.randomness import Streams
from manyheads.threats import L1, Budget, column
from manyheads.types import Image


def _unchanged(gradient: Image) -> Image:
    return gradient


def _check_schedule(*, steps: int, step_size: float) -> None:
    if steps < 1:
        raise ValueError(f"an attack takes at least one step, got steps={steps}")
    if not 0 < step_size < math.inf:
        raise ValueError(
            f"step_size is a length in [0, 1] pixel units, above zero, got {step_size}; write 2/255, not 2"
        )


@dataclass(frozen=True)
class FGSM(Attack):
    """Fast gradient sign method: one step of the budget's whole size; the clean image where that lowers the loss.

    In an L2 budget the step follows the gradient itself, in an L1 budget it changes the steepest pixels.

    Reference: Goodfellow et al., ICLR 2015. Differs from it in: never weaker than the clean image.
    """

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (nothing is drawn)
        """Take the step.

        Raises:
            ValueError: if the budget has no limit.
        """
        if budget.eps == math.inf:
            raise ValueError("FGSM steps as far as the budget allows, which has no end here; give a finite eps")
        return ascend(loss, clean, clean=clean, budget=budget, steps=1, step_size=budget.eps, heading=_unchanged)


@dataclass(frozen=True)
class PGD(Attack):
    """Projected gradient descent: steps along the steepest direction, each followed by a projection.

    In an L1 budget a step changes few pixels, one where it can go all the way: let `steps * step_size` well exceed eps.

    Args:
        steps: how many steps.
        step_size: length of each step in the budget's norm, in pixel units.
        random_start: begin at a point drawn uniformly from the budget instead of the clean image.

    Raises:
        ValueError: if there is no step or it has no length.

    Reference: Madry et al., ICLR 2018. Differs from it in: the best iterate is returned, not the last.

    >>> PGD(steps=7, step_size=2 / 255)
    PGD(steps=7, step_size=0.00784313725490196, random_start=True)
    """

    steps: int = 40
    step_size: float = 0.01
    random_start: bool = True

    def __post_init__(self) -> None:
        """Refuse a schedule that goes nowhere."""
        _check_schedule(steps=self.steps, step_size=self.step_size)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Climb.

        Raises:
            ValueError: if a random start is wanted in a budget without a limit.
        """
        start = _start(clean, budget=budget, rng=rng) if self.random_start else clean
        return ascend(
            loss, start, clean=clean, budget=budget, steps=self.steps, step_size=self.step_size, heading=_unchanged
        )


@dataclass(frozen=True)
class LastIteratePGD(Attack):
    """PGD that returns where its last step ends, better or not: a forward pass cheaper, for adversarial training.

    To measure a model take `PGD`, which is never weaker.

    Args:
        steps: how many steps.
        step_size: length of each step in the budget's norm, in pixel units.
        random_start: begin at a point drawn uniformly from the budget instead of the clean image.

    Raises:
        ValueError: if there is no step or it has no length.

    Reference: Madry et al., ICLR 2018.
    """

    steps: int = 7
    step_size: float = 2 / 255
    random_start: bool = True

    def __post_init__(self) -> None:
        """Refuse a schedule that goes nowhere."""
        _check_schedule(steps=self.steps, step_size=self.step_size)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Climb.

        Raises:
            ValueError: if a random start is wanted in a budget without a limit.
        """
        start = _start(clean, budget=budget, rng=rng) if self.random_start else clean
        return climb(loss, start, clean=clean, budget=budget, steps=self.steps, step_size=self.step_size)


def _start(clean: Image, *, budget: Budget, rng: Streams) -> Image:
    """Draw an allowed image."""
    return budget.project(clean + budget.noise(clean, rng), clean)


@dataclass(frozen=True)
class BIM(Attack):
    """Basic iterative method: PGD from the clean image.

    Args:
        steps: how many steps.
        step_size: length of each step in the budget's norm, in pixel units.

    Raises:
        ValueError: if there is no step or it has no length.

    Reference: Kurakin et al., ICLR workshop 2017. Differs from it in: the best iterate is returned, not the last.
    """

    steps: int
    step_size: float

    def __post_init__(self) -> None:
        """Refuse a schedule that goes nowhere."""
        _check_schedule(steps=self.steps, step_size=self.step_size)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Climb."""
        return PGD(self.steps, self.step_size, random_start=False).search(loss, clean, budget=budget, rng=rng)


@dataclass(frozen=True)
class MIM(Attack):
    """Momentum iterative method: steps along a decaying sum of past gradients, each scaled to L1 norm one.

    Args:
        steps: how many steps.
        step_size: length of each step in the budget's norm, in pixel units.
        decay: what is left of the sum after one step; 1 forgets nothing, 0 is BIM.

    Raises:
        ValueError: if there is no step, it has no length, or the decay is negative.

    Reference: Dong et al., CVPR 2018. Differs from it in: the best iterate is returned, not the last.
    """

    steps: int
    step_size: float
    decay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a schedule that goes nowhere, or a decay that turns around."""
        _check_schedule(steps=self.steps, step_size=self.step_size)
        _check_decay(self.decay)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (nothing is drawn)
        """Climb with momentum."""
        return _climb(self, loss, clean, budget=budget, scaled=_unit_sum)


@dataclass(frozen=True)
class UnscaledMIM(Attack):
    """MIM along a decaying sum of the gradients as they are: steep places count for more than flat ones.

    Args:
        steps: how many steps.
        step_size: length of each step in the budget's norm, in pixel units.
        decay: what is left of the sum after one step; 1 forgets nothing, 0 is BIM.

    Raises:
        ValueError: if there is no step, it has no length, or the decay is negative.

    Reference: the code published with Mao et al., ECCV 2020, whose paper names Dong et al.'s attack instead (`MIM`).
    """

    steps: int
    step_size: float
    decay: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a schedule that goes nowhere, or a decay that turns around."""
        _check_schedule(steps=self.steps, step_size=self.step_size)
        _check_decay(self.decay)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (nothing is drawn)
        """Climb with momentum."""
        return _climb(self, loss, clean, budget=budget, scaled=_unchanged)


def _check_decay(decay: float) -> None:
    if not 0 <= decay < math.inf:
        raise ValueError(f"decay is the share of momentum that is kept, zero or above, got {decay}")


def _unit_sum(gradient: Image) -> Image:
    """Scale to L1 norm one; zero stays zero."""
    return gradient / column(L1(0.0).size(gradient).clamp_min(torch.finfo(gradient.dtype).tiny))


def _climb(
    attack: MIM | UnscaledMIM, loss: Loss, clean: Image, *, budget: Budget, scaled: Callable[[Image], Image]
) -> Image:
    """Climb from the clean image along a decaying sum of scaled gradients."""
    momentum = _Momentum(attack.decay, scaled)
    return ascend(
        loss, clean, clean=clean, budget=budget, steps=attack.steps, step_size=attack.step_size, heading=momentum
    )


@dataclass(eq=False)
class _Momentum:
    """Decaying sum of scaled gradients."""

    decay: float
    scaled: Callable[[Image], Image]
    total: Image | float = field(default=0.0)

    def __call__(self, gradient: Image) -> Image:
        self.total = self.decay * self.total + self.scaled(gradient)
        return self.total
