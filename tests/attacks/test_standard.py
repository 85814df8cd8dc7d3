"""The ensembles: never weaker than a member, unmoved by masked gradients, and only survivors are attacked."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from manyheads.attacks import APGD, FAB, FGSM, PGD, Ensemble, Raising, standard_ensemble
from manyheads.randomness import Streams
from manyheads.tasks import classify
from manyheads.threats import DLR, L1, L2, Budget, Linf, Margin, TaskLoss, ThreatModel

DIGIT, PARITY = classify("digit", classes=4), classify("parity", classes=2)
SMALL = {"steps": 5, "queries": 20}


class Masked(nn.Module):
    """A model that hides its gradients."""

    def __init__(self, model: nn.Module, hide: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.model, self.hide = model, hide

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: self.hide(scores) for name, scores in self.model(image).items()}


def saturated(scores: torch.Tensor) -> torch.Tensor:
    return 1e5 * scores


def quantised(scores: torch.Tensor) -> torch.Tensor:
    return scores.round(decimals=2)


def still(victim, hide):
    """The masked victim's examples that are right."""
    masked = type(victim)(Masked(victim.model, hide), victim.tasks, victim.batch)
    loss = masked.loss()
    rows = (loss.margin(victim.clean) < 0).nonzero()[:, 0]
    return loss.select(rows), victim.clean[rows]


@pytest.mark.parametrize("hide", [saturated, quantised])
@pytest.mark.parametrize(
    "ensemble", [standard_ensemble(DIGIT, steps=3, queries=200), Ensemble(3, 200)], ids=["standard", "own"]
)
def test_masked_gradients_stop_pgd_but_not_the_ensemble(victim, hide, ensemble) -> None:
    loss, clean = still(victim, hide)
    assert len(clean) >= 3
    for attack in (FGSM(), PGD(10, 0.05, random_start=False)):
        assert not bool(loss.won(attack(loss, clean, Linf(0.2))).any())
    attacked = ensemble(loss, clean, Linf(0.2), rng=torch.Generator().manual_seed(0))
    assert bool(loss.won(attacked).all())


@pytest.mark.parametrize(
    ("task", "budget"), [(DIGIT, Linf(0.03)), (DIGIT, L2(0.2)), (DIGIT, L1(0.6)), (PARITY, Linf(0.03))]
)
def test_it_wins_wherever_a_member_does(victim, task, budget: Budget) -> None:
    loss = victim.loss(Margin(task))
    streams = Streams(torch.arange(5, device=victim.clean.device))
    ensemble = standard_ensemble(task, **SMALL)
    won = loss.won(ensemble(loss, victim.clean, budget, rng=streams))
    for number, member in enumerate(ensemble.attacks):
        alone = loss.won(member(loss, victim.clean, budget, rng=streams.fork(number)))
        assert bool((won | ~alone).all())


def test_only_survivors_are_attacked(victim) -> None:
    seen = []
    victim.model.register_forward_hook(lambda _module, arguments, _outputs: seen.append(len(arguments[0])))
    loss = victim.loss()
    attacked = standard_ensemble(DIGIT, **SMALL)(loss, victim.clean, Linf(0.2), rng=torch.Generator().manual_seed(0))
    passes = len(seen)
    assert bool(loss.won(attacked).all())
    assert set(seen[:2]) == {5}  # the clean images: their loss, and who has won
    assert set(seen[2:passes]) == {4}  # one is won as it is; APGD wins the rest
    assert passes == 2 + 6 + 2


def test_an_image_that_wins_as_it_is_stays(victim) -> None:
    attacked = standard_ensemble(DIGIT, **SMALL)(victim.loss(), victim.clean, Linf(0.1))
    assert torch.equal(attacked[4], victim.clean[4])


@pytest.mark.parametrize(("classes", "scale_free"), [(3, DLR), (2, Margin)])
def test_few_classes_need_no_targets(classes: int, scale_free: type) -> None:
    task = classify("digit", classes=classes)
    members = standard_ensemble(task, steps=3, queries=5).attacks
    assert [type(member).__name__ for member in members[1:]] == ["Raising", "Raising", "FAB", "Raising"]
    assert members[2].objective == scale_free(task)


def test_restarts_are_handed_on() -> None:
    member = standard_ensemble(DIGIT, restarts=5).attacks[1]
    assert isinstance(member, Raising)
    assert member.attack.times == 5


def test_the_attackers_own_success_decides(victim) -> None:
    """Of an attacker who must fool both heads, whatever is raised."""

    def both(outputs, truth):
        return torch.minimum(Margin(DIGIT)(outputs, truth), Margin(PARITY)(outputs, truth))

    threat = ThreatModel(
        name="t",
        model=victim.model,
        tasks=victim.tasks,
        objective=TaskLoss(victim.tasks, {"digit": 1.0}),
        budget=Linf(0.3),
        success=both,
    )
    loss = threat.loss(victim.batch)
    attacked = Ensemble(steps=15, queries=60)(loss, victim.clean, Linf(0.3), rng=torch.Generator().manual_seed(0))
    margins = [victim.loss(Margin(task)).margin(attacked) for task in (DIGIT, PARITY)]
    assert torch.equal(loss.won(attacked), torch.minimum(*margins) > 0)
    assert int(loss.won(attacked).sum()) >= 3


@pytest.mark.parametrize(("name", "message"), [("steps", "at least one step"), ("queries", "asked at least once")])
def test_numbers_are_above_zero(name: str, message: str) -> None:
    for make in (Ensemble, lambda **numbers: standard_ensemble(DIGIT, **numbers)):
        with pytest.raises(ValueError, match=message):
            make(**{name: 0})


def test_members_of_the_standard_ensemble() -> None:
    _, entropy, ratio, boundary, query = standard_ensemble(DIGIT).attacks
    assert entropy.attack == ratio.attack == APGD(100)
    assert boundary.attack == FAB(100)
    assert query.objective == Margin(DIGIT)
