"""Foolbox on the same model, from the same start with the same steps: the same images; torchattacks: as strong.

Its momentum attack is no second opinion: it adds gradients up without normalising them.
"""

import warnings

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import APGD, BIM, CW, FAB, FGSM, Square
from manyheads.threats import L2, Budget, Linf, Margin


class Head(nn.Module):
    """One head of a model, in eval mode."""

    def __init__(self, model: nn.Module, task: str) -> None:
        super().__init__()
        self.model, self.task = model, task
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        return self.model(image)[self.task]


@pytest.fixture
def foolbox():
    """The library, if it is there; it warns of what others deprecated while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("foolbox", reason="Foolbox is not installed; it comes with the extra second-opinion")


@pytest.fixture
def theirs(foolbox, victim):
    """Run one of Foolbox's attacks on the victim's first head."""
    model = foolbox.PyTorchModel(Head(victim.model, "digit"), bounds=(0, 1), device=victim.clean.device)

    def attacked(attack, clean: Tensor, eps: float | None) -> Tensor:
        criterion = foolbox.criteria.Misclassification(victim.batch["label"])
        return attack(model, clean, criterion, epsilons=eps)[1].detach()

    return attacked


def test_bim_gives_foolboxs_image_in_linf(foolbox, victim, theirs) -> None:
    loss, values = victim.loss(), []
    for steps in range(1, 7):
        attack = foolbox.attacks.LinfPGD(rel_stepsize=None, abs_stepsize=0.01, steps=steps, random_start=False)
        expected = theirs(attack, victim.clean, 0.06)
        torch.testing.assert_close(BIM(steps, 0.01)(loss, victim.clean, Linf(0.06)), expected, atol=1e-6, rtol=0)
        values.append(loss(expected).detach())
    assert bool((torch.stack(values).diff(dim=0) > 0).all())  # it rises, so the last iterate is the best
    assert bool(((victim.clean == 0) | (victim.clean == 1)).any())


def test_bim_gives_foolboxs_image_in_l2(foolbox, victim, theirs) -> None:
    clean, loss, values = 0.3 + 0.4 * victim.clean, victim.loss(), []  # Foolbox's projection ignores the box
    for steps in range(1, 11):
        attack = foolbox.attacks.L2PGD(rel_stepsize=None, abs_stepsize=0.05, steps=steps, random_start=False)
        expected = theirs(attack, clean, 0.3)
        torch.testing.assert_close(BIM(steps, 0.05)(loss, clean, L2(0.3)), expected, atol=1e-6, rtol=0)
        values.append(loss(expected).detach())
    assert bool((torch.stack(values).diff(dim=0) > 0).all())


@pytest.mark.parametrize("eps", [0.001, 0.05])
def test_fgsm_gives_foolboxs_image(foolbox, victim, theirs, eps: float) -> None:
    expected = theirs(foolbox.attacks.LinfFastGradientAttack(random_start=False), victim.clean, eps)
    with torch.no_grad():
        assert bool((victim.loss()(expected) > victim.loss()(victim.clean)).all())
    torch.testing.assert_close(FGSM()(victim.loss(), victim.clean, Linf(eps)), expected, atol=1e-6, rtol=0)


def test_cw_is_as_near_as_foolboxs(foolbox, victim, theirs) -> None:
    settings = {"steps": 60, "binary_search_steps": 3, "initial_const": 3.0, "confidence": 0.0}
    attack = foolbox.attacks.L2CarliniWagnerAttack(stepsize=0.02, **settings)
    expected = theirs(attack, victim.clean, None)
    attacked = CW(learning_rate=0.02, **settings)(victim.loss(), victim.clean, L2(float("inf")))
    ours, other = (L2(0.0).size(image - victim.clean) for image in (attacked, expected))
    assert bool(victim.loss().won(attacked).all())
    assert bool(victim.loss().won(expected).all())
    assert bool((ours <= 1.05 * other + 1e-6).all())


@pytest.fixture
def torchattacks(victim):
    """The library, if it is there, with the victim's first head; it warns of what others deprecated."""
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        reason = "torchattacks is not installed, or no torchvision for this torch, which it imports"
        library = pytest.importorskip("torchattacks", reason=reason, exc_type=ImportError)
        yield lambda name, **settings: getattr(library, name)(Head(victim.model, "digit"), **settings)


@pytest.mark.parametrize("budget", [Linf(0.05), L2(0.4)])
def test_apgd_climbs_as_high_as_torchattackss(torchattacks, victim, budget: Budget) -> None:
    attack = torchattacks("APGD", norm=type(budget).__name__, eps=budget.eps, steps=20, n_restarts=1, loss="ce", seed=0)
    loss = victim.loss()
    expected = attack(victim.clean, victim.batch["label"])
    attacked = APGD(20)(loss, victim.clean, budget, rng=torch.Generator().manual_seed(0))
    right = victim.loss().margin(victim.clean) < 0  # theirs leaves alone what is wrong as it is
    assert bool((loss(attacked) >= 0.999 * loss(expected))[right].all())


@pytest.mark.parametrize(("budget", "theirs"), [(Linf(1.0), 0.5), (L2(9.0), 9.0)])  # theirs in L1 raises an error
def test_fab_is_as_near_as_torchattackss(torchattacks, victim, budget: Budget, theirs: float) -> None:
    attack = torchattacks("FAB", norm=type(budget).__name__, eps=theirs, steps=30, n_restarts=1, seed=0, n_classes=4)
    expected = attack(victim.clean, victim.batch["label"])
    attacked = FAB(30)(victim.loss(), victim.clean, budget)
    ours, other = (budget.size(image - victim.clean) for image in (attacked, expected))
    assert bool(victim.loss().won(attacked).all())
    assert bool(victim.loss().won(expected).all())
    assert bool((ours <= 1.05 * other + 1e-6).all())


def test_square_wins_as_often_as_torchattackss(torchattacks, victim) -> None:
    attack = torchattacks("Square", norm="Linf", eps=0.1, n_queries=100, n_restarts=1, seed=0)
    expected = attack(victim.clean, victim.batch["label"])
    loss = victim.loss(Margin("digit"))
    attacked = Square(100)(loss, victim.clean, Linf(0.1), rng=torch.Generator().manual_seed(0))
    assert int(loss.won(attacked).sum()) >= int(loss.won(expected).sum())
