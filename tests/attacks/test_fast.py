"""The fast path: what it finds is judged on the model itself."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from manyheads.attacks import (
    BIM,
    PGD,
    AcceleratedLoss,
    Attack,
    Fast,
    Restarts,
    WorstOf,
)
from manyheads.evaluation import evaluate
from manyheads.models import Acceleration
from manyheads.tasks import classify
from manyheads.threats import L2, Budget, Linf, Margin, TaskLoss, ThreatModel

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
DIGIT = classify("digit", classes=4)
SINGLE, HALF = Acceleration(precision=torch.float32), Acceleration(precision=torch.bfloat16)
STEPS = PGD(steps=6, step_size=0.02)
BUDGET = Linf(0.06)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class Altered(nn.Module):
    """A model whose scores are not what they were."""

    def __init__(self, model: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.change = model, change

    def forward(self, image: Tensor) -> Mapping[str, Tensor]:
        return {name: self.change(scores) for name, scores in self.model(image).items()}


def wrong(change: Callable[[Tensor], Tensor]) -> Acceleration:
    """A copy that is no faithful one."""
    return replace(SINGLE, compiler=lambda copy: Altered(copy, change))


def overconfident(scores: Tensor) -> Tensor:
    """Whatever the image, the second class would seem to lead, and nothing to move the scores."""
    return 0 * scores + 50 * nn.functional.one_hot(torch.ones_like(scores[:, 0]).long(), scores.shape[1])


def reversed_scores(scores: Tensor) -> Tensor:
    """What raises the model's loss would seem to lower it."""
    return -scores


def stubborn(scores: Tensor) -> Tensor:
    """Nothing would seem to move the scores, or to win."""
    return scores.detach() + 0 * scores + 50 * nn.functional.one_hot(scores.argmax(1), scores.shape[1])


def counted(model: nn.Module) -> list[int]:
    """How many images the model is asked about, call by call."""
    seen: list[int] = []
    # a copy takes the hook along, but is another module
    model.register_forward_hook(lambda *call: seen.extend([len(call[1][0])] * (call[0] is model)))
    return seen


@pytest.fixture
def exact(victim):
    """The victim in double precision, where no sign of a gradient hangs on rounding."""
    victim.model.double()
    return replace(victim, batch={**victim.batch, "image": victim.clean.double()})


@pytest.mark.parametrize("budget", [BUDGET, L2(0.3)], ids=lambda budget: type(budget).__name__)
@pytest.mark.parametrize("attack", [STEPS, BIM(4, 0.02), Restarts(STEPS, times=2)], ids=lambda one: type(one).__name__)
def test_without_rounding_it_finds_what_the_attack_finds(exact, attack: Attack, budget: Budget) -> None:
    expected = attack(exact.loss(), exact.clean, budget, rng=seeded())
    found = Fast(attack, SINGLE)(exact.loss(), exact.clean, budget, rng=seeded())
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_what_the_copy_takes_for_won_and_the_model_does_not_is_attacked_again_on_the_model(exact) -> None:
    loss, how = exact.loss(), wrong(overconfident)
    expected = STEPS(loss, exact.clean, BUDGET, rng=seeded())
    won = loss.won(expected)
    mistaken = loss.accelerated(how, example=exact.clean[:1]).won(exact.clean) & ~loss.won(exact.clean)
    seen = counted(exact.model)
    found = Fast(STEPS, how)(loss, exact.clean, BUDGET, rng=seeded())
    assert set(seen[2:]) == {int(mistaken.sum())} != {len(exact.clean)}
    assert bool((mistaken & won).any())
    torch.testing.assert_close(found[mistaken & won], expected[mistaken & won], atol=1e-6, rtol=0)


def test_what_nobody_takes_for_won_is_not_searched_for_again_unless_survivors_are(exact) -> None:
    loss, blind = exact.loss(), wrong(stubborn)
    found = Fast(STEPS, blind)(loss, exact.clean, BUDGET, rng=seeded())
    alone = STEPS(loss, exact.clean, BUDGET, rng=seeded())
    both = WorstOf((Fast(STEPS, blind), STEPS))(loss, exact.clean, BUDGET, rng=seeded())
    assert loss.won(found).sum() < loss.won(alone).sum() <= loss.won(both).sum()


@pytest.mark.parametrize("how", [SINGLE, HALF, wrong(reversed_scores), wrong(overconfident)])
@pytest.mark.parametrize("objective", [None, Margin(DIGIT), lambda outputs, truth: outputs["digit"][:, 0]])  # noqa: ARG005
def test_never_weaker_than_the_clean_image(victim, how: Acceleration, objective) -> None:
    loss = victim.loss(objective)
    found = Fast(STEPS, how)(loss, victim.clean, BUDGET, rng=seeded())
    with torch.no_grad():
        won = loss.won(found) if loss.knows_success else torch.zeros(5, dtype=torch.bool, device=DEVICE)
        assert bool((won | (loss(found) >= loss(victim.clean))).all())
    assert not loss.knows_success or bool((won >= loss.won(victim.clean)).all())


class Defeat:
    """Raised is the opposite of what wins."""

    success = Margin(DIGIT)

    def __call__(self, outputs: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> Tensor:
        return -self.success(outputs, truth)


def test_a_clean_image_that_wins_gives_way_to_winners_alone(victim) -> None:
    loss = victim.loss(Defeat())
    assert loss.won(victim.clean).tolist() == [False] * 4 + [True]
    climb, budget = PGD(steps=10, step_size=0.1), Linf(0.5)
    assert not loss.won(climb(loss, victim.clean, budget, rng=seeded())).any()
    found = Fast(climb, SINGLE)(loss, victim.clean, budget, rng=seeded())
    assert torch.equal(found[4], victim.clean[4])
    assert not torch.equal(found[0], victim.clean[0])


def test_of_the_model_itself_little_is_asked(victim) -> None:
    loss, attack = victim.loss(), PGD(steps=30, step_size=0.02)
    seen = counted(victim.model)
    Fast(attack, SINGLE)(loss, victim.clean, BUDGET, rng=seeded())
    assert len(victim.clean) <= sum(seen) <= 2 * len(victim.clean)


def test_one_copy_serves_an_evaluation_and_another_the_model_after_more_training(victim) -> None:
    copies: list[nn.Module] = []
    how = replace(SINGLE, compiler=lambda copy: copies.append(copy) or copy)
    threat = ThreatModel(
        name="t", model=victim.model, tasks=[DIGIT], objective=TaskLoss([DIGIT], {"digit": 1.0}), budget=BUDGET
    )
    batches = [{name: value[row : row + 2] for name, value in victim.batch.items()} for row in (0, 2, 4)]
    attack = Restarts(Fast(STEPS, how), times=2)
    evaluate(victim.model, threat, attack, batches)
    assert len(copies) == 1
    optimizer = torch.optim.Adam(victim.model.parameters(), 0.3, fused=True)  # leaves no mark on what it changes
    victim.model.train()(victim.clean)["digit"].square().sum().backward()
    optimizer.step()
    victim.model.eval()
    table = evaluate(victim.model, threat, attack, batches).table
    assert len(copies) == 2
    plain = evaluate(victim.model, threat, Restarts(STEPS, times=2), batches).table
    torch.testing.assert_close(
        table["loss_attacked"].to_torch(), plain["loss_attacked"].to_torch(), rtol=0.02, atol=1e-3
    )


def test_bfloat16_wins_as_often(victim) -> None:
    image = torch.rand(200, 3, 6, 6, generator=torch.Generator().manual_seed(2)).to(DEVICE)
    many = replace(victim, batch={"image": image, "label": victim.model(image)["digit"].argmax(1)})
    loss, search, budget = many.loss(), PGD(steps=10, step_size=0.01), Linf(0.05)
    plain = int(loss.won(search(loss, image, budget, rng=seeded())).sum())
    fast = int(loss.won(Fast(search, HALF)(loss, image, budget, rng=seeded())).sum())
    assert 20 < plain < 180
    assert abs(plain - fast) <= 1


def test_the_model_judges_in_its_own_precision_whatever_is_around(victim) -> None:
    seen = []
    victim.model.register_forward_hook(lambda *call: seen.append(call[2]["digit"].dtype))
    with torch.autocast(device_type=DEVICE.type, dtype=torch.bfloat16):
        Fast(STEPS, wrong(overconfident))(victim.loss(), victim.clean, BUDGET, rng=seeded())
    assert len(seen) > 2
    assert set(seen) == {torch.float32}


class Brightness:
    """A loss of one's own, without a model of which there could be a copy."""

    knows_success = False

    def __call__(self, image):
        return image.flatten(1).sum(1)

    margin = won = select = __call__


class Copied(Brightness):
    """One that can be had on a copy, its own."""

    knows_success = False

    def accelerated(self, how, *, example):  # noqa: ARG002 (there is nothing to make faster)
        return self

    def select(self, rows):  # noqa: ARG002 (every example is alike)
        return self


def test_a_loss_that_offers_no_copy_is_refused(victim) -> None:
    with pytest.raises(TypeError, match="a faster copy of the model, which Brightness does not offer; give it a loss"):
        Fast(STEPS)(Brightness(), victim.clean, BUDGET)


def test_a_loss_of_ones_own_may_offer_one(victim) -> None:
    assert isinstance(victim.loss(), AcceleratedLoss)
    found = Fast(BIM(3, 0.05), SINGLE)(Copied(), victim.clean, BUDGET, rng=seeded())
    torch.testing.assert_close(found, (victim.clean + BUDGET.eps).clamp(0, 1))


@pytest.mark.filterwarnings("ignore")  # what torch warns of while it compiles is not ours
def test_torchs_own_compiler_finds_what_the_attack_finds(exact) -> None:
    compiled = replace(SINGLE, compiler=partial(torch.compile, backend="aot_eager"))
    expected = STEPS(exact.loss(), exact.clean, BUDGET, rng=seeded())
    found = Fast(STEPS, compiled)(exact.loss(), exact.clean, BUDGET, rng=seeded())
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
