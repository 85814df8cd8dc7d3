"""The loop that gradient attacks share: the best iterate counts, first and last included; broken losses are refused."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import BIM, CW, MIM, PGD, Attack
from manyheads.attacks.ascent import ascend
from manyheads.attacks.ascent import climb as climb_unjudged
from manyheads.tasks import classify
from manyheads.threats import L1, L2, Budget, Linf, Loss, ThreatModel
from manyheads.types import Image, Outputs, PerExample, Truth

TASK = classify("main", classes=2)


class Same(nn.Module):
    """Returns the image."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = nn.Identity()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"main": self.identity(image)}


class Hill:
    """Highest, one, where the mean is at a given place; NaN beyond another."""

    def __init__(self, top: float, broken_above: float = 2.0) -> None:
        self.top, self.broken_above = top, broken_above

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:  # noqa: ARG002 (the truth does not matter)
        mean = outputs["main"].mean((1, 2, 3))
        return (1 - (mean - self.top).abs()) * torch.where(mean > self.broken_above, torch.nan, 1.0)


class Silent:
    """Its value is fine, its gradient is not: the square root of zero."""

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:  # noqa: ARG002 (the truth does not matter)
        return (outputs["main"] - 0.5).square().sum((1, 2, 3)).sqrt()


def loss_of(objective, *, count: int = 2) -> Loss:
    threat = ThreatModel(name="t", model=Same(), tasks=[TASK], objective=objective, budget=Linf(1.0), success=objective)
    return threat.loss({"label": torch.zeros(count, dtype=torch.int64)})


def climb(loss: Loss, start: Image, *, steps: int, budget: Budget) -> Image:
    grey = torch.full_like(start, 0.5)
    return ascend(loss, start, clean=grey, budget=budget, steps=steps, step_size=0.1, heading=lambda gradient: gradient)


@pytest.mark.parametrize(("top", "expected"), [(0.5, 0.5), (0.62, 0.6), (0.8, 0.8), (0.3, 0.3), (1.0, 0.8)])
def test_start_middle_and_last_step_compete(top: float, expected: float) -> None:
    start = torch.full((2, 1, 2, 2), 0.5)
    best = climb(loss_of(Hill(top)), start, steps=3, budget=Linf(0.4))
    torch.testing.assert_close(best, torch.full_like(start, expected))


def test_forward_and_backward_passes_are_as_many_as_documented() -> None:
    loss, forward, backward = loss_of(Hill(1.0)), [], []
    loss.model.identity.register_forward_hook(lambda *_: forward.append(1))
    loss.model.identity.register_full_backward_hook(lambda *_: backward.append(1))
    climb(loss, torch.full((2, 1, 2, 2), 0.5), steps=3, budget=Linf(0.4))
    assert (len(forward), len(backward)) == (4, 3)


def test_the_border_of_the_box_does_not_kill_gradients() -> None:
    start = torch.tensor([0.0, 1.0, 0.0, 1.0]).view(1, 1, 2, 2)
    best = climb(loss_of(Hill(0.8), count=1), start, steps=2, budget=Linf(0.5))
    torch.testing.assert_close(best, torch.tensor([0.2, 1.0, 0.2, 1.0]).view(1, 1, 2, 2))


@pytest.mark.parametrize("budget", [Linf(0.4), L2(0.4), L1(0.4)])
def test_a_flat_loss_moves_nothing(budget: Budget) -> None:
    start = torch.full((2, 1, 2, 2), 0.5)
    assert torch.equal(climb(loss_of(Flat()), start, steps=3, budget=budget), start)


class Flat:
    """Zero, with a gradient of zero."""

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:  # noqa: ARG002 (the truth does not matter)
        return 0 * outputs["main"].sum((1, 2, 3))


@pytest.mark.parametrize(
    "attack", [BIM(3, 0.1), MIM(3, 0.1), PGD(3, 0.1), CW(4)], ids=lambda attack: type(attack).__name__
)
@pytest.mark.parametrize("broken", [0, 1])
def test_a_loss_that_becomes_nan_is_refused(attack: Attack, broken: int) -> None:
    clean = torch.full((2, 1, 2, 2), 0.2)
    clean[broken] = 0.55
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        attack(loss_of(Hill(0.9, broken_above=0.5)), clean, Linf(0.2))


@pytest.mark.parametrize("attack", [BIM(3, 0.1), MIM(3, 0.1), CW(4)], ids=lambda attack: type(attack).__name__)
def test_a_gradient_of_nan_is_refused(attack: Attack) -> None:
    objective = Silent()
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        attack(loss_of(objective), torch.full((2, 1, 2, 2), 0.5), Linf(0.2))


def test_the_last_forward_pass_is_watched_too() -> None:
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        climb(loss_of(Hill(0.9, broken_above=0.55)), torch.full((2, 1, 2, 2), 0.5), steps=1, budget=Linf(0.2))


@pytest.mark.parametrize(("search", "climbed"), [(climb_unjudged, 0.08), (partial(ascend, heading=torch.clone), 0.04)])
def test_climbing_alone_ends_where_the_last_step_does_even_if_that_is_worse(search, climbed: float) -> None:
    clean = torch.full((2, 1, 3, 3), 0.5)

    def hill(image: torch.Tensor) -> torch.Tensor:
        return -(image - 0.55).square().flatten(1).sum(1)

    found = search(hill, clean, clean=clean, budget=Linf(0.2), steps=2, step_size=0.04)
    torch.testing.assert_close(found, clean + climbed)


def test_climbing_alone_refuses_what_is_not_finite() -> None:
    clean = torch.full((1, 1, 2, 2), 0.5)
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        climb_unjudged(
            lambda image: (image * torch.inf).sum((1, 2, 3)),
            clean,
            clean=clean,
            budget=Linf(0.1),
            steps=1,
            step_size=0.1,
        )
