"""Gradient attacks on a linear model, whose worst case in each ball is known; FGSM, BIM and MIM step by step."""

import pytest
import torch
from torch import Tensor

from manyheads.attacks import BIM, FGSM, MIM, PGD, LastIteratePGD, UnscaledMIM
from manyheads.threats import L1, L2, Budget, Linf, TaskLoss

LINF, L2_BALL, L1_BALL = Linf(0.2), L2(0.5), L1(2.5)


def slopes(victim) -> Tensor:
    """Derivative of each example's margin: plus or minus the weight, by class."""
    sign = 1.0 - 2.0 * victim.batch["label"]
    return (sign[:, None] * victim.model.weight.detach().flatten()).double()


def room(victim) -> Tensor:
    """How far each pixel can move uphill before it is black or white."""
    image = victim.clean.flatten(1).double()
    return torch.where(slopes(victim) > 0, 1 - image, image)


def gain(victim, attacked: Tensor, objective) -> Tensor:
    loss = victim.loss(objective)
    with torch.no_grad():
        return (loss(attacked) - loss(victim.clean)).double()


def worst_in_l2(slope: Tensor, free: Tensor, eps: float) -> Tensor:
    """Maximise the inner product over ball and box: uphill in proportion to the slope, cut off at the box."""
    low, high = torch.zeros(len(slope), 1, dtype=slope.dtype), torch.full((len(slope), 1), 1e3, dtype=slope.dtype)
    for _ in range(100):
        middle = (low + high) / 2
        fits = (middle * slope.abs()).minimum(free).norm(dim=1, keepdim=True) <= eps
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    return ((low * slope.abs()).minimum(free) * slope.abs()).sum(1)


def worst_in_l1(slope: Tensor, free: Tensor, eps: float) -> Tensor:
    """Spend eps greedily on the steepest pixels, each up to its bound."""
    steepest, order = slope.abs().sort(dim=1, descending=True)
    room_left = free.gather(1, order)
    spent_before = room_left.cumsum(1) - room_left
    return ((eps - spent_before).clamp_min(0).minimum(room_left) * steepest).sum(1)


SCHEDULES = [(LINF, 0.05), (L2_BALL, 0.1), (L1_BALL, 0.1)]


@pytest.mark.parametrize(("budget", "step_size"), SCHEDULES)
@pytest.mark.parametrize("random_start", [False, True])
def test_pgd_reaches_the_worst_loss_inside_the_box(linear, margin, budget: Budget, step_size, random_start) -> None:
    victim = linear(low=0.3, high=0.7)
    dual = {LINF: 1.0, L2_BALL: 2.0, L1_BALL: torch.inf}[budget]
    expected = {LINF: 0.2, L2_BALL: 0.5, L1_BALL: 0.3}[budget] * torch.linalg.vector_norm(slopes(victim), dual, dim=1)
    budget = L1(0.3) if budget == L1_BALL else budget  # one pixel can take it all
    attack = PGD(steps=60, step_size=step_size, random_start=random_start)
    attacked = attack(victim.loss(margin), victim.clean, budget, rng=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gain(victim, attacked, margin), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize(("budget", "step_size"), SCHEDULES)
@pytest.mark.parametrize("random_start", [False, True])
def test_pgd_reaches_the_worst_loss_where_the_box_cuts_the_ball(
    linear, margin, budget: Budget, step_size, random_start
) -> None:
    victim = linear(low=0.0, high=1.0)
    slope, free = slopes(victim), room(victim)
    expected = {
        LINF: (free.clamp_max(budget.eps) * slope.abs()).sum(1),
        L2_BALL: worst_in_l2(slope, free, budget.eps),
        L1_BALL: worst_in_l1(slope, free, budget.eps),
    }[budget]
    unbounded = {LINF: 1.0, L2_BALL: 2.0, L1_BALL: torch.inf}[budget]
    assert bool((expected < 0.99 * budget.eps * torch.linalg.vector_norm(slope, unbounded, dim=1)).any())
    attack = PGD(steps=60, step_size=step_size, random_start=random_start)
    attacked = attack(victim.loss(margin), victim.clean, budget, rng=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gain(victim, attacked, margin), expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("attack", [FGSM(), BIM(10, 0.05), MIM(10, 0.05), UnscaledMIM(10, 0.05)])
def test_every_sign_attack_reaches_the_corner_of_a_linear_model(linear, margin, attack) -> None:
    victim = linear(low=0.3, high=0.7)
    expected = victim.clean + 0.2 * slopes(victim).float().sign().view_as(victim.clean)
    torch.testing.assert_close(attack(victim.loss(margin), victim.clean, LINF), expected, atol=1e-6, rtol=0)


def test_fgsm_goes_as_far_as_the_budget_in_each_norm(linear, margin) -> None:
    victim = linear(low=0.3, high=0.7)
    slope = slopes(victim).float()
    inside_l2 = FGSM()(victim.loss(margin), victim.clean, L2_BALL) - victim.clean
    expected = (0.5 * slope / slope.norm(dim=1, keepdim=True)).view_as(victim.clean)
    torch.testing.assert_close(inside_l2, expected, atol=1e-6, rtol=0)
    inside_l1 = FGSM()(victim.loss(margin), victim.clean, L1(0.25)) - victim.clean
    assert inside_l1.flatten(1).count_nonzero(dim=1).tolist() == [1] * 8
    torch.testing.assert_close(inside_l1.flatten(1).abs().amax(1), torch.full_like(slope[:, 0], 0.25))


def test_the_last_iterate_costs_a_pass_less(victim) -> None:
    loss, seen = victim.loss(), []
    hook = victim.model.register_forward_pre_hook(lambda *_: seen.append(1))
    counts = []
    for attack in (LastIteratePGD(4, 0.1), PGD(4, 0.1)):
        seen.clear()
        attack(loss, victim.clean, LINF)
        counts.append(len(seen))
    hook.remove()
    assert counts == [4, 5]


def test_bim_is_pgd_from_the_clean_image(victim) -> None:
    pgd = PGD(steps=5, step_size=0.03, random_start=False)
    images = [attack(victim.loss(), victim.clean, LINF) for attack in (pgd, BIM(5, 0.03))]
    assert torch.equal(*images)


def test_mim_accumulates_gradients_of_l1_norm_one(victim) -> None:
    loss, image, total = victim.loss(), victim.clean, torch.zeros_like(victim.clean)
    for _ in range(4):
        image = image.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(image).sum(), image)
        total = 0.7 * total + gradient / gradient.abs().sum((1, 2, 3), keepdim=True)
        step = total / total.square().sum((1, 2, 3), keepdim=True).sqrt()
        image = L2(9.0).project(image.detach() + 0.2 * step, victim.clean)
    torch.testing.assert_close(MIM(4, 0.2, decay=0.7)(loss, victim.clean, L2(9.0)), image, atol=1e-6, rtol=0)


def test_unscaled_mim_accumulates_gradients_as_they_are(victim) -> None:
    loss, image, total = victim.loss(), victim.clean, torch.zeros_like(victim.clean)
    for _ in range(4):
        image = image.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(image).sum(), image)
        total = 0.5 * total + gradient
        step = total / total.square().sum((1, 2, 3), keepdim=True).sqrt()
        image = L2(9.0).project(image.detach() + 0.2 * step, victim.clean)
    torch.testing.assert_close(UnscaledMIM(4, 0.2)(loss, victim.clean, L2(9.0)), image, atol=1e-6, rtol=0)
    assert float((MIM(4, 0.2, decay=0.5)(loss, victim.clean, L2(9.0)) - image).abs().max()) > 1e-5


@pytest.mark.parametrize("attack", [MIM, UnscaledMIM])
def test_mim_without_memory_is_bim(victim, attack) -> None:
    images = [search(victim.loss(), victim.clean, LINF) for search in (attack(5, 0.03, decay=0.0), BIM(5, 0.03))]
    assert torch.equal(*images)


def test_momentum_changes_the_path(victim) -> None:
    images = [attack(victim.loss(), victim.clean, L2_BALL) for attack in (MIM(5, 0.03), BIM(5, 0.03))]
    assert not torch.equal(*images)


def test_a_weight_does_not_change_the_path(victim) -> None:
    plain, light = (TaskLoss(victim.tasks, {"digit": weight}) for weight in (1.0, 1e-30))
    images = [BIM(5, 0.03)(victim.loss(objective), victim.clean, L2_BALL) for objective in (plain, light)]
    torch.testing.assert_close(*images, atol=1e-4, rtol=0)


@pytest.mark.parametrize("budget", [LINF, L2_BALL, L1_BALL])
@pytest.mark.parametrize("attack", [PGD(4, 0.1), BIM(4, 0.1), MIM(4, 0.1), UnscaledMIM(4, 0.1), FGSM()])
def test_the_model_sees_allowed_images_alone(victim, attack, budget: Budget) -> None:
    seen = []
    victim.model.register_forward_hook(lambda _module, arguments, _outputs: seen.append(arguments[0].detach()))
    attack(victim.loss(), victim.clean, budget, rng=torch.Generator().manual_seed(0))
    assert len(seen) >= 2
    assert all(bool(budget.contains(image, victim.clean).all()) for image in seen)


def test_a_random_start_needs_a_limit(victim) -> None:
    with pytest.raises(ValueError, match="no uniform noise exists in a ball without a limit"):
        PGD(5, 0.1)(victim.loss(), victim.clean, L2(float("inf")))


def test_without_random_start_a_budget_needs_no_limit(victim) -> None:
    attacked = BIM(20, 0.5)(victim.loss(), victim.clean, L2(float("inf")))
    assert float(L2(0.0).size(attacked - victim.clean).min()) > 0.5


def test_fgsm_needs_a_limit(victim) -> None:
    with pytest.raises(ValueError, match="has no end here; give a finite eps"):
        FGSM()(victim.loss(), victim.clean, L2(float("inf")))


@pytest.mark.parametrize("attack", [PGD, BIM, MIM, UnscaledMIM])
def test_an_attack_takes_at_least_one_step(attack) -> None:
    with pytest.raises(ValueError, match="at least one step, got steps=0"):
        attack(steps=0, step_size=0.1)


@pytest.mark.parametrize("attack", [PGD, BIM, MIM, UnscaledMIM])
@pytest.mark.parametrize("step_size", [0.0, -0.1, float("nan"), float("inf")])
def test_a_step_has_a_length(attack, step_size: float) -> None:
    with pytest.raises(ValueError, match="step_size is a length"):
        attack(steps=3, step_size=step_size)


@pytest.mark.parametrize("attack", [MIM, UnscaledMIM])
@pytest.mark.parametrize("decay", [-0.1, float("nan"), float("inf")])
def test_momentum_decays_to_a_share_of_zero_or_more(attack, decay: float) -> None:
    with pytest.raises(ValueError, match="decay is the share of momentum"):
        attack(3, 0.1, decay=decay)
