"""APGD: the exact worst case of linear models, as high as PGD on trained nets, winners before losers."""

import math
from functools import cache

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from manyheads.attacks import APGD, PGD
from manyheads.attacks.trail import Trail
from manyheads.tasks import classify
from manyheads.threats import L1, L2, Budget, Linf, Margin, TaskLoss, ThreatModel

DUAL = {Linf: 1.0, L2: 2.0, L1: math.inf}
DIGIT = classify("digit", classes=10)


@pytest.mark.parametrize("budget", [Linf(0.05), L2(0.25), L1(0.25)])
@pytest.mark.parametrize("steps", [20, 50])
def test_the_worst_case_of_a_linear_model_is_exact(linear, margin, budget: Budget, steps: int) -> None:
    victim = linear(low=0.3, high=0.7)
    loss = victim.loss(margin)
    with torch.no_grad():
        slope = torch.linalg.vector_norm(victim.model.weight, DUAL[type(budget)])
        worst = loss.margin(victim.clean) + budget.eps * slope
        reached = loss.margin(APGD(steps)(loss, victim.clean, budget, rng=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(reached, worst, atol=2e-3, rtol=0)


@pytest.mark.parametrize("budget", [Linf(0.2), L2(1.0), L1(3.0)])
def test_the_worst_case_is_exact_where_pixels_reach_black_and_white(linear, margin, budget: Budget) -> None:
    victim = linear(low=0.0, high=1.0)
    loss = victim.loss(margin)
    with torch.no_grad():
        before = loss.margin(victim.clean)
        slow = loss.margin(PGD(400, budget.eps / 20, random_start=False)(loss, victim.clean, budget)) - before
        fast = loss.margin(APGD(60)(loss, victim.clean, budget, rng=torch.Generator().manual_seed(0))) - before
    assert float((fast / slow).min()) > 0.999


@cache
def trained(eps: float) -> nn.Module:
    """A small net on drawn digits, after a few epochs, plainly or adversarially."""
    images, labels = digits()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = OneHead()
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        for rows in torch.randperm(1500).split(150) * 3:
            image = PGD(2, eps)(loss_of(model, labels[rows]), images[rows], Linf(eps)) if eps else images[rows]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(image)["digit"], labels[rows]).backward()
            optimizer.step()
    return model.eval()


class OneHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10)
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"digit": self.layers(image)}


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    found = load_digits()
    return torch.tensor(found.images / 16, dtype=torch.float32)[:, None], torch.tensor(found.target)


def loss_of(model: nn.Module, label: torch.Tensor):
    objective = TaskLoss([DIGIT], {"digit": 1.0})
    threat = ThreatModel(name="t", model=model, tasks=[DIGIT], objective=objective, budget=Linf(0.1))
    return threat.loss({"label": label})


def test_it_climbs_as_high_as_pgd_with_as_many_passes() -> None:
    images, labels = digits()
    higher = []
    for model in (trained(0.0), trained(0.1)):
        for rows in torch.arange(1500, 1640).split(20):
            loss = loss_of(model, labels[rows])
            for budget in (Linf(0.1), L2(0.5)):
                attacks = APGD(20), PGD(21, 0.1 * budget.eps)
                with torch.no_grad():
                    ours, theirs = (
                        loss(attack(loss, images[rows], budget, rng=torch.Generator().manual_seed(0))).mean()
                        for attack in attacks
                    )
                higher.append(bool(ours >= theirs * (1 - 1e-4)))
    assert len(higher) == 28
    assert sum(higher) >= 0.95 * len(higher)


class Undecided:
    """A loss of which nobody says who wins: APGD too then keeps the highest point, and not the highest winner."""

    knows_success = False

    def __init__(self, loss) -> None:
        self.loss = loss

    def __call__(self, image):
        return self.loss(image)

    margin = won = select = __call__


def test_it_climbs_as_high_in_l1_as_pgd_with_as_many_passes() -> None:
    images, labels = digits()
    images, labels = images[1500:1640], labels[1500:1640]
    higher = []
    for model in (trained(0.0), trained(0.1)):
        loss = Undecided(loss_of(model, labels))
        for eps in (1.0, 2.0):
            with torch.no_grad():
                ours, *theirs = (
                    loss(attack(loss, images, L1(eps), rng=torch.Generator().manual_seed(0))).view(-1, 20).mean(1)
                    for attack in (APGD(20), PGD(21, 0.1 * eps), PGD(21, 0.25 * eps))
                )
            higher += [ours >= other * (1 - 1e-4) for other in theirs]
    assert torch.cat(higher).shape == (56,)
    assert float(torch.cat(higher).float().mean()) >= 0.95


def test_more_steps_in_l1_end_higher(victim) -> None:
    loss, clean = victim.loss(), victim.clean
    with torch.no_grad():
        few, many = (
            loss(APGD(steps)(loss, clean, L1(1.5), rng=torch.Generator().manual_seed(0))).mean() for steps in (3, 40)
        )
    assert many > few


def test_a_winner_is_kept_though_a_loser_is_higher() -> None:
    trail = Trail.empty(Turning(), torch.zeros(1, 1, 1, 1))
    for level in (0.2, 0.6, 0.9):
        trail.look(torch.full((1, 1, 1, 1), level))
    assert float(trail.highest.image) == pytest.approx(0.9)
    assert float(trail.end()) == pytest.approx(0.6)


class Turning:
    """Raised is the brightness; the middle alone wins."""

    knows_success = True

    def __call__(self, image):
        return image.flatten(1).sum(1)

    def margin(self, image):
        return 0.2 - (image.flatten(1).sum(1) - 0.5).abs()

    def won(self, image):
        return self.margin(image) > 0

    def select(self, rows):  # noqa: ARG002 (all examples are alike)
        return self


class Peak:
    """Raised is the nearness to one image; nobody says who wins."""

    knows_success = False

    def __init__(self, peak: torch.Tensor) -> None:
        self.peak = peak

    def __call__(self, image):
        return -(image - self.peak).square().flatten(1).sum(1)

    margin = won = select = __call__


@pytest.mark.parametrize("budget", [Linf(0.3), L2(1.0)])
def test_steps_are_halved_until_they_fit(budget: Budget) -> None:
    clean = torch.full((2, 1, 4, 4), 0.5)
    peak = clean + 0.1 * torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(2)).clamp(-1, 1)
    attacked = APGD(100)(Peak(peak), clean, budget, rng=torch.Generator().manual_seed(0))
    assert float((attacked - peak).abs().max()) < 0.02


@pytest.mark.parametrize("budget", [Linf(0.05), L1(1.0), L1(100.0)])
@pytest.mark.parametrize("steps", [1, 2, 7, 70])
def test_each_step_is_one_pass_and_so_is_the_start(victim, budget: Budget, steps: int) -> None:
    seen = []
    victim.model.register_forward_hook(lambda *_: seen.append(1))
    APGD(steps)(victim.loss(), victim.clean, budget)
    assert len(seen) == steps + 1


def test_a_loss_of_ones_own_will_do() -> None:
    clean = torch.full((1, 1, 1, 1), 0.3)
    attacked = APGD(20)(Turning(), clean, Linf(0.35), rng=torch.Generator().manual_seed(0))
    assert float(attacked) == pytest.approx(0.65)


def test_there_is_at_least_one_step() -> None:
    with pytest.raises(ValueError, match="takes at least one step, got steps=0"):
        APGD(0)


def test_a_budget_without_an_end_is_refused(victim) -> None:
    with pytest.raises(ValueError, match="twice the budget, which has no end here"):
        APGD(3)(victim.loss(Margin("digit")), victim.clean, L2(math.inf))
