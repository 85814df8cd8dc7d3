"""The adaptive ensemble: never weaker than those who know less, and exact where the optimum is known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import BIM, CW, FGSM, PGD, Attack, Fast, Loss, PenaltySearch, Restarts
from manyheads.defences import (
    AdaptiveEnsemble,
    Disagreement,
    EvasionLikelihood,
    Evasive,
    Guard,
    adaptive_ensemble,
)
from manyheads.defences.evasive_towards import TOWARDS
from manyheads.evaluation import Facts, evaluate
from manyheads.models import Acceleration
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS, LabelMap, classify, regroup
from manyheads.threats import L1, L2, Alternating, Budget, Linf, Margin, Objective, Targeted, TaskLoss, ThreatModel
from manyheads.types import Image

PARITY, SIZE = LabelMap(("even", "odd"), (0, 1, 0, 1)), LabelMap(("small", "big"), (0, 0, 1, 1))
TASKS = (classify("digit", classes=4), regroup("parity", PARITY), regroup("size", SIZE))
RULE = Disagreement("digit", {"parity": PARITY, "size": SIZE})
SEARCH, TWICE = PGD(steps=4, step_size=0.04), Restarts(PGD(2, 0.06), 2)
FAST = Restarts(Fast(SEARCH, Acceleration(precision=torch.bfloat16)), 2)
Batch = dict[str, Tensor]


class SmallNet(nn.Module):
    """Two smooth layers and three heads."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(16, 24), nn.Tanh())
        self.heads = nn.ModuleDict({task.name: nn.Linear(24, task.channels) for task in TASKS})

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = self.features(image)
        return {name: head(features) for name, head in self.heads.items()}


def threat(guard: Guard, objective: Objective, *, name: str = "t", budget: Budget | None = None) -> ThreatModel:
    return ThreatModel(name=name, model=guard.model, tasks=TASKS, objective=objective, budget=budget or Linf(0.1))


def blobs(count: int, *, seed: int) -> Batch:
    """Four noisy patterns of sixteen pixels."""
    patterns = torch.rand(4, 1, 4, 4, generator=torch.Generator().manual_seed(99))
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(4, (count,), generator=generator)
    noise = 0.25 * torch.randn(count, 1, 4, 4, generator=generator)
    return {"image": (0.25 + 0.5 * patterns[label] + noise).clamp(0, 1), "label": label, "index": torch.arange(count)}


def trained(seed: int, *, hardened: bool) -> Guard:
    """A net that was trained for forty steps, on attacked images or on clean ones."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SmallNet()
    guard, batch, loss = Guard(model, RULE), blobs(200, seed=seed), TaskLoss(TASKS, {"digit": 1.0})
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    inner = {True: PGD(3, 0.05), False: Nothing()}[hardened]
    for step in range(40):
        streams = Streams.of_examples(batch["index"], seed=seed, stage=step)
        image = inner(threat(guard, loss).loss(batch), batch["image"], Linf(0.1), rng=streams)
        outputs = model(image)
        optimizer.zero_grad()
        sum(task.loss(outputs[task.name], task.target(batch)).mean() for task in TASKS).backward()
        optimizer.step()
    return guard


@dataclass(frozen=True)
class Nothing(Attack):
    """Changes nothing."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        return clean


@dataclass(frozen=True)
class Recording(Attack):
    """Changes nothing, and keeps what it was given."""

    kept: list[tuple[Loss, Streams]]

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        self.kept.append((loss, rng))
        return clean


@pytest.fixture(scope="module", params=[(0, False), (1, True), (2, True)], ids=str)
def guard(request: pytest.FixtureRequest) -> Guard:
    seed, hardened = request.param
    return trained(seed, hardened=hardened)


@pytest.fixture(scope="module")
def plain() -> Guard:
    return trained(3, hardened=False)


def passed(facts: Facts) -> Tensor:
    """Which examples got a wrong answer past the guard."""
    table = facts.table
    return ((table["digit.truth"] != table["digit.attacked"]) & ~table["rejected_attacked"]).to_torch()


def batches(size: int = 30) -> Iterator[Batch]:
    test = blobs(60, seed=1000)
    return iter([{name: value[row : row + size] for name, value in test.items()} for row in range(0, 60, size)])


@pytest.mark.parametrize(
    ("attack", "goal"),
    [(SEARCH, Margin("digit")), (TWICE, Margin("digit")), (FGSM(), Targeted("digit")), (FAST, Margin("digit"))],
    ids=lambda value: type(value).__name__,
)
def test_no_robust_accuracy_with_reject_option_is_above_that_of_the_gray_or_white_box_attack(
    guard: Guard, attack: Attack, goal: Margin | Targeted
) -> None:
    gray, white = TaskLoss(TASKS, {"digit": 1.0}), TaskLoss(TASKS, {task.name: 1.0 for task in TASKS})
    adaptive = adaptive_ensemble(Evasive(goal, RULE), attack, lesser=(gray, white))
    evading = threat(guard, Evasive(goal, RULE), name="adaptive")
    by_adaptive = passed(evaluate(guard, evading, adaptive, batches()))
    for name, objective in (("gray-box", gray), ("white-box", white)):
        by_lesser = passed(evaluate(guard, threat(guard, objective, name=name), attack, batches()))
        assert (by_adaptive >= by_lesser).all()
        assert by_lesser.any()
    assert by_adaptive.sum() > passed(evaluate(guard, evading, Nothing(), batches())).sum()


def test_the_ensemble_gets_more_past_the_guard_than_any_of_its_members(plain: Guard) -> None:
    evasion = Evasive(Margin(TASKS[0]), RULE)
    ensemble = adaptive_ensemble(evasion, SEARCH, lesser=(TaskLoss(TASKS, {"digit": 1.0}),))
    members = [*ensemble.lesser, EvasionLikelihood(evasion), evasion, Alternating(evasion)]
    alone = [int(passed(evaluate(plain, threat(plain, each), SEARCH, batches())).sum()) for each in members]
    together = int(passed(evaluate(plain, threat(plain, evasion), ensemble, batches())).sum())
    assert together > max(alone)


def test_every_part_wins_something_on_its_own(plain: Guard) -> None:
    evasion = Evasive(Margin(TASKS[0]), RULE)
    aimed = threat(plain, evasion, budget=Linf(0.15))
    nothing = int(passed(evaluate(plain, aimed, Nothing(), batches())).sum())
    parts = {
        "less": AdaptiveEnsemble(evasion, SEARCH, lesser=(Margin(TASKS[0]),), classes=0),
        "knowing": AdaptiveEnsemble(evasion, SEARCH, knowing=(evasion,), classes=0),
        "penalty": AdaptiveEnsemble(evasion, Nothing(), penalty=PenaltySearch(6, 0.03, 3), classes=0),
        "all classes": AdaptiveEnsemble(evasion, SEARCH),
    }
    found = {name: int(passed(evaluate(plain, aimed, part, batches())).sum()) for name, part in parts.items()}
    assert min(found.values()) > nothing


def test_each_wrong_class_is_aimed_at_the_nearest_first(plain: Guard) -> None:
    seen = []
    batch = next(batches())
    evasion = Evasive(Margin("digit"), RULE)
    AdaptiveEnsemble(evasion, Recording(seen))(threat(plain, evasion).loss(batch), batch["image"], Linf(0.1))
    kept = ~threat(plain, evasion).loss(batch).won(batch["image"])
    first, *others = (loss.truth[TOWARDS] for loss, _ in seen)
    together = torch.stack([first[kept], *others], dim=1)
    classes = torch.cat([together, batch["label"][kept, None]], dim=1).sort(1).values
    assert torch.equal(classes.unique(dim=0), torch.arange(4)[None])
    reached = evasion.reached(plain(batch["image"][kept])).gather(1, together)
    assert (reached.diff(dim=1) <= 0).all()


def test_those_who_know_less_are_given_the_numbers_that_they_have_on_their_own(plain: Guard) -> None:
    given = []
    batch, evasion = next(batches()), Evasive(Margin("digit"), RULE)
    loss, streams = threat(plain, evasion).loss(batch), Streams.of_examples(batch["index"], seed=0, stage="test")
    members = AdaptiveEnsemble(evasion, Recording(given), (Margin("digit"), evasion), (evasion, evasion), classes=0)
    members(loss, batch["image"], Linf(0.1), rng=streams)
    left = streams.seeds[~loss.won(batch["image"])]
    gray, white, *knowing = (rng.seeds for _, rng in given)
    assert torch.equal(gray, streams.seeds)
    assert torch.equal(white, left)
    assert len(torch.cat([left, *knowing]).unique()) == 3 * len(left)


def test_with_nobody_to_attack_the_clean_images_come_back(plain: Guard) -> None:
    batch = next(batches())
    empty = AdaptiveEnsemble(Evasive(Margin("digit"), RULE), SEARCH, classes=0)
    image = empty(threat(plain, Margin("digit")).loss(batch), batch["image"], Linf(0.1))
    assert torch.equal(image, batch["image"])


def test_whoever_wins_already_is_left_alone(plain: Guard) -> None:
    batch = next(batches())
    evasion = Evasive(Margin("digit"), RULE)
    loss = threat(plain, evasion).loss(batch)
    image = adaptive_ensemble(evasion, SEARCH)(loss, batch["image"], Linf(0.1))
    before = loss.won(batch["image"])
    assert before.any()
    assert torch.equal(image[before], batch["image"][before])


@pytest.mark.parametrize("budget", [Linf(0.1), L2(0.4), L1(1.0)], ids=lambda budget: type(budget).__name__)
def test_images_are_allowed_and_belong_to_their_examples_alone(plain: Guard, budget: Budget) -> None:
    batch = next(batches(20))
    loss = threat(plain, Evasive(Margin("digit"), RULE)).loss(batch)
    attack = adaptive_ensemble(Evasive(Margin("digit"), RULE), BIM(4, 0.3 * budget.eps), lesser=(Margin("digit"),))
    together = attack(loss, batch["image"], budget)
    assert budget.contains(together, batch["image"]).all()
    rows = torch.tensor([7, 0, 13])
    apart = attack(loss.select(rows), batch["image"][rows], budget)
    torch.testing.assert_close(apart, together[rows], atol=1e-5, rtol=0)


def test_an_accepted_wrong_answer_outranks_the_rest_where_the_target_is_out_of_reach(plain: Guard) -> None:
    evasion = Evasive(Targeted("digit"), RULE)
    gray = TaskLoss(TASKS, {"digit": 1.0})
    batch = next(batches(60))
    loss = threat(plain, evasion).loss(batch)
    ensemble = adaptive_ensemble(evasion, SEARCH, lesser=(gray,))
    streams = Streams.of_examples(batch["index"], seed=0, stage="test")
    decision = plain.decide(plain(ensemble(loss, batch["image"], Linf(0.1), rng=streams)))
    wrong = (decision.label != batch["label"]) & ~decision.rejected
    aimed = wrong & (decision.label == (batch["label"] + 1) % 4)
    alone = plain.decide(plain(SEARCH(threat(plain, gray).loss(batch), batch["image"], Linf(0.1), rng=streams)))
    assert (wrong >= ((alone.label != batch["label"]) & ~alone.rejected)).all()
    assert 0 < aimed.sum() < wrong.sum()


def test_an_example_of_unknown_class_is_left_as_it_is_judged(plain: Guard) -> None:
    batch = next(batches(10))
    batch["label"][4] = UNKNOWN_CLASS
    evasion = Evasive(Margin("digit"), RULE)
    truth = {"digit": batch["label"], "parity": batch["label"] % 2, "size": batch["label"] % 2}
    loss = replace(threat(plain, evasion).loss(blobs(10, seed=0)), truth=truth)
    image = adaptive_ensemble(evasion, SEARCH)(loss, batch["image"], Linf(0.1))
    assert not loss.won(image)[4]
    assert loss.won(image).any()


def test_a_minimal_attack_is_aimed_too(plain: Guard) -> None:
    batch = next(batches(20))
    evasion = Evasive(Margin("digit"), RULE)
    loss = threat(plain, evasion, budget=L2(float("inf"))).loss(batch)
    search = CW(steps=60, learning_rate=0.05, binary_search_steps=2, initial_const=10.0)
    image = adaptive_ensemble(evasion, search, lesser=(Margin("digit"),))(loss, batch["image"], L2(float("inf")))
    assert loss.won(image).all()
