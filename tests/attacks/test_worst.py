"""Restarts and ensembles: survivors alone are attacked again, winners stay."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import BIM, FGSM, PGD, Attack, Loss, Restarts, WorstOf
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import Budget, Linf, Margin, TaskLoss, ThreatModel
from manyheads.types import Image, Outputs, PerExample, Truth

TASK = classify("main", classes=2)


class Brightness(nn.Module):
    """Class 1 leads by ten times the brightness above one half."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        score = 10 * (image.mean((1, 2, 3)) - 0.5)
        return {"main": torch.stack([torch.zeros_like(score), score], dim=1)}


@dataclass(frozen=True)
class Paint(Attack):
    """Paints every example in its own brightness, and notes which ones it was given."""

    brightness: tuple[float, ...]
    seen: list[list[int]]

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (a stand-in)
        numbers = (clean[:, 0, 0, 0] * 100).round().long()
        self.seen.append(numbers.tolist())
        level = torch.tensor(self.brightness)[numbers]
        return level[:, None, None, None].expand_as(clean).clone()


@dataclass(frozen=True)
class Dice(Attack):
    """Returns an image of random brightness."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002 (a stand-in)
        return rng.uniform(1)[:, :, None, None].expand_as(clean) * 0.4


class MinusMargin:
    """An objective at odds with success: higher where the attacker is further from winning."""

    def __call__(self, outputs: Outputs, truth: Truth) -> PerExample:
        return -Margin(TASK)(outputs, truth)


def numbered(count: int) -> Image:
    """Dark images whose brightness tells them apart: 0, 0.01, 0.02 and so on."""
    return (torch.arange(count) / 100)[:, None, None, None].expand(count, 1, 2, 2).clone()


def loss_of(count: int, objective=None, success=None) -> Loss:
    threat = ThreatModel(
        name="t",
        model=Brightness(),
        tasks=[TASK],
        objective=objective or Margin(TASK),
        budget=Linf(1.0),
        success=success,
    )
    return threat.loss({"label": torch.zeros(count, dtype=torch.int64)})


def levels(image: Image) -> list[float]:
    return [round(float(value), 3) for value in image[:, 0, 0, 0]]


def test_survivors_alone_are_attacked_again() -> None:
    seen = []
    attacks = (Paint((0.2, 0.8, 0.3), seen), Paint((0.9, 0.1, 0.1), seen), Paint((0.1, 0.1, 0.4), seen))
    worst = WorstOf(attacks)(loss_of(3), numbered(3), Linf(1.0))
    assert seen == [[0, 1, 2], [0, 2], [2]]
    assert levels(worst) == [0.9, 0.8, 0.4]


def test_it_stops_when_all_are_won() -> None:
    seen = []
    worst = WorstOf((Paint((0.9, 0.8), seen), Paint((1.0, 1.0), seen)))(loss_of(2), numbered(2), Linf(1.0))
    assert seen == [[0, 1]]
    assert levels(worst) == [0.9, 0.8]


def test_among_losers_the_higher_loss_stays() -> None:
    seen = []
    attacks = (Paint((0.2, 0.4), seen), Paint((0.3, 0.1), seen))
    assert levels(WorstOf(attacks)(loss_of(2), numbered(2), Linf(1.0))) == [0.3, 0.4]


def test_a_winner_replaces_a_loser_of_higher_loss() -> None:
    seen = []
    loss = loss_of(1, MinusMargin(), success=Margin(TASK))
    worst = WorstOf((Paint((0.1,), seen), Paint((0.9,), seen), Paint((0.0,), seen)))(loss, numbered(1), Linf(1.0))
    assert levels(worst) == [0.9]
    assert seen == [[0], [0]]


def test_where_nobody_says_who_won_all_are_attacked_again_and_the_highest_loss_stays() -> None:
    seen = []
    loss = loss_of(2, MinusMargin())
    assert not loss.knows_success
    worst = WorstOf((Paint((0.9, 0.2), seen), Paint((0.7, 0.6), seen)))(loss, numbered(2), Linf(1.0))
    assert seen == [[0, 1], [0, 1]]
    assert levels(worst) == [0.7, 0.2]


def test_every_restart_draws_fresh_numbers() -> None:
    streams = Streams(torch.arange(4))
    draws = torch.stack([streams.fork(number).uniform(1)[:, 0] * 0.4 for number in range(6)])
    worst = Restarts(Dice(), times=6)(loss_of(4), numbered(4), Linf(1.0), rng=streams)
    torch.testing.assert_close(worst[:, 0, 0, 0], draws.amax(0))
    assert len(set(draws.flatten().tolist())) == draws.numel()


def test_a_restart_does_not_depend_on_who_else_survived() -> None:
    streams = Streams(torch.arange(4))
    attack = WorstOf((Paint((0.9, 0.0, 0.0, 0.9), []), Dice()))
    worst = attack(loss_of(4), numbered(4), Linf(1.0), rng=streams)
    expected = streams.fork(1).uniform(1)[:, 0] * 0.4
    torch.testing.assert_close(worst[1:3, 0, 0, 0], expected[1:3])


def test_more_restarts_are_never_weaker(victim) -> None:
    loss, streams = victim.loss(), Streams(torch.arange(5, device=victim.clean.device))
    reached = [
        loss(Restarts(PGD(2, 0.02), times)(loss, victim.clean, Linf(0.1), rng=streams)).detach() for times in (1, 2, 4)
    ]
    lost = ~loss.won(PGD(2, 0.02)(loss, victim.clean, Linf(0.1), rng=streams.fork(0)))
    assert int(lost.sum()) >= 2
    assert bool((reached[1] >= reached[0])[lost].all())
    assert bool((reached[2] >= reached[1])[lost].all())
    assert bool((reached[2] > reached[0])[lost].any())


def test_the_worst_of_several_wins_wherever_one_does(victim) -> None:
    loss = victim.loss(TaskLoss(victim.tasks, {"digit": 1.0}))
    attacks = (FGSM(), BIM(4, 0.02), BIM(20, 0.01))
    single = torch.stack([loss.won(attack(loss, victim.clean, Linf(0.05))) for attack in attacks]).any(0)
    assert 0 < int(single.sum()) < 5
    assert torch.equal(loss.won(WorstOf(attacks)(loss, victim.clean, Linf(0.05))), single)


def test_the_worst_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="give at least one"):
        WorstOf(())


@pytest.mark.parametrize("times", [0, -2])
def test_an_attack_starts_at_least_once(times: int) -> None:
    with pytest.raises(ValueError, match=f"starts at least once, got times={times}"):
        Restarts(FGSM(), times)
