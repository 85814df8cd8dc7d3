"""What every attack promises, checked for each attack in each budget and for each objective."""

import os
from dataclasses import replace

import pytest
import torch

import manyheads.attacks
from manyheads.attacks import (
    APGD,
    BIM,
    CW,
    FAB,
    FGSM,
    MIM,
    PGD,
    Aggregated,
    Attack,
    EachTarget,
    Ensemble,
    External,
    Fast,
    Generative,
    LastIteratePGD,
    MixedPerturbations,
    Noise,
    PenaltySearch,
    Raising,
    RaisingSuccess,
    Restarts,
    Square,
    UnscaledMIM,
    WorstOf,
)
from manyheads.models import Acceleration, PerInstance, Universal, mta_generator, seeded
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import DLR, L1, L2, Budget, Linf, Margin, Objective, Targeted, TaskLoss

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
DIGIT, PARITY = classify("digit", classes=4), classify("parity", classes=2)
PGD_STEPS = PGD(steps=3, step_size=0.1)
CW_STEPS = CW(steps=5, learning_rate=0.05, binary_search_steps=2, initial_const=10.0)
GENERATOR = seeded(lambda: mta_generator(["digit"], width=3, blocks=1), seed=0).to(DEVICE)
ATTACKS = [
    FGSM(),
    BIM(steps=3, step_size=0.1),
    PGD_STEPS,
    LastIteratePGD(steps=3, step_size=0.1),
    MIM(steps=3, step_size=0.1),
    UnscaledMIM(steps=3, step_size=0.1),
    CW_STEPS,
    Noise(),
    Restarts(PGD_STEPS, times=2),
    WorstOf((FGSM(), PGD_STEPS, CW_STEPS)),
    Generative(PerInstance(GENERATOR), "digit"),
    Generative(Universal(GENERATOR, size=(6, 6)).to(DEVICE), "digit"),
    APGD(steps=5),
    FAB(steps=4),
    Square(queries=8),
    Raising(APGD(steps=3), DLR(DIGIT)),
    RaisingSuccess(Square(queries=4)),
    EachTarget(APGD(steps=3), DIGIT, count=2),
    Ensemble(steps=3, queries=4),
    Aggregated(lambda matrix: matrix.sum(0), steps=3, step_size=0.1),
    MixedPerturbations(PGD_STEPS),
    Fast(PGD_STEPS, Acceleration(precision=torch.float32)),
]
# test_penalty.py holds the one to the same promises; what is external promises nothing, see test_external.py
HELD_ELSEWHERE = {PenaltySearch, External}
BUDGETS = [Linf(0.06), L2(0.3), L1(1.5)]
OBJECTIVES = [
    TaskLoss([DIGIT], {"digit": 1.0}),
    TaskLoss([DIGIT, PARITY], {"digit": 1.0, "parity": 2.0}),
    Margin(DIGIT),
    Targeted(DIGIT),
]
NORMS = {Linf: torch.inf, L2: 2.0, L1: 1.0}


def short(value: object) -> str:
    names = "+".join(getattr(value, "weights", ()))
    return type(value).__name__ + names + str(getattr(value, "eps", getattr(value, "step_size", "")))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


every_attack = pytest.mark.parametrize("attack", ATTACKS, ids=short)
every_budget = pytest.mark.parametrize("budget", BUDGETS, ids=short)
every_objective = pytest.mark.parametrize("objective", OBJECTIVES, ids=short)
some_objectives = pytest.mark.parametrize("objective", OBJECTIVES[1:4:2], ids=short)


@pytest.fixture
def exact(victim):
    """The victim in double precision: a gradient's sign makes much of rounding errors, which batch mates change."""
    victim.model.double()
    return replace(victim, batch={**victim.batch, "image": victim.clean.double()})


@every_attack
@every_budget
@every_objective
def test_stays_inside_budget(victim, attack: Attack, budget: Budget, objective: Objective) -> None:
    attacked = attack(victim.loss(objective), victim.clean, budget, rng=seeded())
    assert attacked.shape == victim.clean.shape
    assert attacked.dtype == torch.float32
    assert float(attacked.min()) >= 0
    assert float(attacked.max()) <= 1
    sizes = torch.linalg.vector_norm((attacked.double() - victim.clean.double()).flatten(1), NORMS[type(budget)], dim=1)
    assert float(sizes.max()) <= budget.eps + 1e-5
    assert float(sizes.max()) > 0.1 * budget.eps
    assert bool(budget.contains(attacked, victim.clean).all())


@every_attack
@every_budget
@some_objectives
def test_does_not_depend_on_batch_mates(exact, attack: Attack, budget: Budget, objective: Objective) -> None:
    together = attack(exact.loss(objective), exact.clean, budget, rng=seeded())
    parts = [slice(0, 1), slice(1, 5)]
    apart = [attack(exact.loss(objective, rows=part), exact.clean[part], budget, rng=seeded()) for part in parts]
    torch.testing.assert_close(torch.cat(apart), together, atol=1e-5, rtol=0)


@every_attack
def test_attacking_one_by_one_gives_the_same_images(exact, attack: Attack) -> None:
    together = attack(exact.loss(), exact.clean, L2(0.3), rng=seeded())
    rows = [slice(row, row + 1) for row in range(len(exact.clean))]
    alone = [attack(exact.loss(rows=row), exact.clean[row], L2(0.3), rng=seeded()) for row in rows]
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-5, rtol=0)


@every_attack
def test_does_not_depend_on_the_order_of_the_batch(exact, attack: Attack) -> None:
    order = torch.tensor([3, 0, 4, 1, 2], device=exact.clean.device)
    forward = attack(exact.loss(), exact.clean, Linf(0.06), rng=seeded())
    shuffled = attack(exact.loss(rows=order), exact.clean[order], Linf(0.06), rng=seeded())
    torch.testing.assert_close(shuffled, forward[order], atol=1e-5, rtol=0)


@pytest.mark.parametrize("attack", [FGSM(), BIM(4, 0.5), MIM(4, 0.5), UnscaledMIM(4, 0.5), BIM(4, 0.02)], ids=short)
@every_budget
@every_objective
def test_never_weaker_than_its_start(victim, attack: Attack, budget: Budget, objective: Objective) -> None:
    loss = victim.loss(objective)
    attacked = attack(loss, victim.clean, budget)
    with torch.no_grad():
        assert bool((loss(attacked) >= loss(victim.clean)).all())


@pytest.mark.parametrize("step_size", [0.02, 0.5])
@every_budget
@every_objective
def test_never_weaker_than_its_random_start(victim, step_size: float, budget: Budget, objective: Objective) -> None:
    loss, streams = victim.loss(objective), Streams(torch.arange(5, device=victim.clean.device))
    start = budget.project(victim.clean + budget.noise(victim.clean, streams), victim.clean)
    attacked = PGD(steps=3, step_size=step_size)(loss, victim.clean, budget, rng=streams)
    with torch.no_grad():
        assert bool((loss(attacked) >= loss(start)).all())


@every_budget
@pytest.mark.parametrize("steps", [1, 15])
@pytest.mark.parametrize("confidence", [0.0, 100.0])
def test_a_minimal_attack_never_has_a_lower_margin_than_its_start(victim, budget, steps, confidence) -> None:
    loss = victim.loss()
    attacked = CW(steps=steps, learning_rate=1.0, binary_search_steps=2, confidence=confidence)(
        loss, victim.clean, budget
    )
    with torch.no_grad():
        assert bool((loss.margin(attacked) >= loss.margin(victim.clean)).all())


@every_attack
def test_same_seed_same_image(victim, attack: Attack) -> None:
    first, second = (attack(victim.loss(), victim.clean, Linf(0.06), rng=seeded(7)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("attack", [PGD(steps=2, step_size=0.001), Restarts(PGD(steps=2, step_size=0.001), times=2)])
def test_another_seed_gives_another_image(victim, attack: Attack) -> None:
    first, second = (attack(victim.loss(), victim.clean, Linf(0.06), rng=seeded(seed)) for seed in (0, 1))
    assert not torch.equal(first, second)


def test_without_a_generator_the_global_seed_decides(victim) -> None:
    images = []
    with torch.random.fork_rng():
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            images.append(PGD(steps=2, step_size=0.001)(victim.loss(), victim.clean, Linf(0.06)))
    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


@every_attack
def test_given_a_generator_the_global_one_is_left_alone(victim, attack: Attack) -> None:
    before = torch.get_rng_state()
    attack(victim.loss(), victim.clean, Linf(0.06), rng=seeded())
    assert torch.equal(torch.get_rng_state(), before)


@every_attack
@pytest.mark.parametrize("norm", [Linf, L2, L1])
def test_zero_budget_returns_clean(victim, attack: Attack, norm: type[Budget]) -> None:
    assert torch.equal(attack(victim.loss(), victim.clean, norm(0.0), rng=seeded()), victim.clean)


@every_attack
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_under_no_grad_and_inference_mode(victim, attack: Attack, mode) -> None:
    expected = attack(victim.loss(), victim.clean, Linf(0.06), rng=seeded())
    with mode():
        annotated = {name: value.clone() for name, value in victim.batch.items()}
        inside = type(victim)(victim.model, victim.tasks, annotated)
        attacked = attack(inside.loss(), inside.clean, Linf(0.06), rng=seeded())
    assert torch.equal(attacked, expected)
    assert not attacked.requires_grad
    assert not attacked.is_inference()


@every_attack
def test_the_clean_images_are_not_written_to(victim, attack: Attack) -> None:
    before = victim.clean.clone()
    attack(victim.loss(), victim.clean, Linf(0.06), rng=seeded())
    assert torch.equal(victim.clean, before)


@every_attack
@every_budget
def test_works_in_double_precision(victim, attack: Attack, budget: Budget) -> None:
    victim.model.double()
    clean = victim.clean.double()
    attacked = attack(victim.loss(), clean, budget, rng=seeded())
    assert attacked.dtype == torch.float64
    assert bool(budget.contains(attacked, clean).all())


def test_the_table_names_every_attack() -> None:
    public = {
        value for value in vars(manyheads.attacks).values() if isinstance(value, type) and issubclass(value, Attack)
    }
    assert {type(attack) for attack in ATTACKS} == public - {Attack} - HELD_ELSEWHERE
