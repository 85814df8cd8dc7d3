"""Stealth: what is raised, what must not notice, and when that has succeeded; for tasks per pixel and per image."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import PGD, Attack, PenaltySearch
from manyheads.tasks import Annotation, Task
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.tasks.losses import MaskedL1
from manyheads.threats import L2, Alternating, Linf, Loss, Objective, Penalised, Stealthy, TaskLoss, ThreatModel

DEPTH, NEAR = (
    Task(name=name, channels=1, target=Annotation(name), loss=MaskedL1(), metric=AbsoluteError)
    for name in ("depth", "near")
)
RAISED, QUIET = TaskLoss([DEPTH, NEAR], {"depth": 1.0}), TaskLoss([DEPTH, NEAR], {"near": 1.0})


class TwoMaps(nn.Module):
    """Two heads of one pixel each, linear in the two pixels of the image."""

    def __init__(self, depth: tuple[float, float], near: tuple[float, float]) -> None:
        super().__init__()
        self.depth, self.near = (nn.Parameter(torch.tensor(weights)) for weights in (depth, near))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        pixels = image.flatten(1)
        return {name: (pixels @ getattr(self, name))[:, None, None, None] for name in ("depth", "near")}


def seen(objective: Objective, *, near: tuple[float, float] = (1.0, 0.0)) -> tuple[Loss, Tensor]:
    """The loss of an attacker of three images; all answers are too high by one."""
    image = torch.tensor([[0.5, 0.5], [0.4, 0.6], [0.3, 0.5]]).reshape(3, 1, 1, 2)
    model = TwoMaps((1.0, 1.0), near)
    outputs = model(image)
    batch = {"image": image} | {name: (output - 1).detach() for name, output in outputs.items()}
    threat = ThreatModel(name="t", model=model, tasks=[DEPTH, NEAR], objective=objective, budget=Linf(0.1))
    return threat.loss(batch), image


def moved(image: Tensor, *by: float) -> Tensor:
    return image + torch.tensor(by).reshape(1, 1, 1, 2)


def test_the_worth_is_the_growth_where_nobody_notices_and_below_minus_one_where_somebody_does() -> None:
    loss, image = seen(Stealthy(RAISED, QUIET, tolerance=0.05, rise=0.1))
    values = {by: loss(moved(image, *by))[0].item() for by in [(0.0, 0.2), (0.0, 0.05), (0.0, -0.9), (0.1, 0.4)]}
    assert values[0.0, 0.2] == pytest.approx(0.1, abs=1e-6)
    assert values[0.0, 0.05] == pytest.approx(-0.05 / 1.05, abs=1e-6)
    assert values[0.0, -0.9] == pytest.approx(-1 / 2, abs=1e-6)  # the growth is −0.9, or −1 with the rise
    assert values[0.1, 0.4] == pytest.approx(-1.05, abs=1e-6)


def test_it_has_won_exactly_where_the_raised_loss_has_grown_enough_and_nobody_notices() -> None:
    loss, image = seen(Stealthy(RAISED, QUIET, tolerance=0.05, rise=0.1))
    assert not loss.won(image).any()
    assert loss.won(moved(image, 0.04, 0.07)).all()
    assert not loss.won(moved(image, 0.04, 0.05)).any()
    assert not loss.won(moved(image, 0.06, 0.2)).any()


def test_a_head_that_grows_quieter_notices_nothing() -> None:
    loss, image = seen(Stealthy(RAISED, QUIET))
    assert loss.won(moved(image, -0.3, 0.4)).all()


SEARCHES = {
    "in turns": (Alternating(Stealthy(RAISED, QUIET, tolerance=0.02)), PGD(120, 0.005)),
    "under a penalty": (Penalised(Stealthy(RAISED, QUIET, tolerance=0.02), weight=5.0), PGD(60, 0.005)),
    "under the right penalty": (Stealthy(RAISED, QUIET, tolerance=0.02), PenaltySearch(60, 0.005, rounds=3)),
}


@pytest.mark.parametrize(("objective", "attack"), SEARCHES.values(), ids=SEARCHES)
def test_an_attack_finds_the_optimum_that_is_known_in_closed_form(objective: Objective, attack: Attack) -> None:
    # Depth grows with both pixels, near with the first alone: that one may go up by the tolerance, the other by eps.
    loss, image = seen(objective)
    attacked = attack(loss, image, Linf(0.1), rng=torch.Generator().manual_seed(0))
    assert loss.won(attacked).all()
    torch.testing.assert_close(loss.margin(attacked), torch.full((3,), 0.12), atol=0.008, rtol=0)


def test_where_the_heads_disagree_the_attack_goes_where_the_quiet_one_is_level() -> None:
    # Along (1, 1) both grow; only the part of the depth's gradient that is orthogonal to near's is free.
    loss, image = seen(Alternating(Stealthy(RAISED, QUIET, tolerance=0.001)), near=(2.0, 1.0))
    attacked = PGD(300, 0.003, random_start=False)(loss, image, L2(0.1))
    best = 0.1 * (torch.tensor([1.0, 1.0]) @ torch.tensor([-1.0, 2.0])).item() / math.sqrt(5)
    assert loss.won(attacked).all()
    assert (loss.margin(attacked) > 0.8 * best).all()
    assert (loss.margin(attacked) < best + 0.003).all()


@pytest.mark.parametrize("first", [0.01, 1.0, 100.0])
def test_a_first_weight_far_off_is_corrected(first: float) -> None:
    loss, image = seen(Stealthy(RAISED, QUIET, tolerance=0.001), near=(2.0, 1.0))
    search = PenaltySearch(40, 0.004, rounds=10, first=first, random_start=False)
    attacked = search(replace(loss, success=None), image, L2(0.1))
    best = 0.1 / math.sqrt(5)
    assert (loss.margin(attacked) > 0.8 * best).all()


def test_the_raised_losses_say_which_task_is_attacked() -> None:
    assert Stealthy(RAISED, QUIET).weights == {"depth": 1.0}


def test_a_loss_without_clean_images_is_refused() -> None:
    objective = Stealthy(RAISED, QUIET)
    outputs = {name: torch.zeros(1, 1, 1, 1) for name in ("depth", "near")}
    with pytest.raises(ValueError, match="stealth is measured against the clean images"):
        objective(outputs, outputs)


def test_a_task_that_is_raised_and_quiet_is_refused() -> None:
    with pytest.raises(ValueError, match="depth cannot be raised and quiet at once"):
        Stealthy(RAISED, RAISED)


def test_a_quiet_task_without_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"quiet losses need weights above zero, got {'near': 0\.0}"):
        Stealthy(RAISED, TaskLoss([DEPTH, NEAR], {"near": 0.0}))


@pytest.mark.parametrize("name", ["tolerance", "rise"])
def test_a_growth_below_zero_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is a growth of a loss, zero or above, got -0\.1"):
        Stealthy(RAISED, QUIET, **{name: -0.1})
