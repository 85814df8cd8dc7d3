"""Attackers who know the rule: their numbers are above zero exactly where the guard passes a wrong answer on."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.defences import AllWrong, Coherent, Disagreement, Evasive, Guard, SoftDisagreement, all_met
from manyheads.randomness import Streams
from manyheads.tasks import LabelMap, Relation, classify, regroup
from manyheads.threats import FixedClass, Linf, Margin, NextClass, Objective, Targeted, TargetLead, ThreatModel

PARITY = LabelMap(("even", "odd"), (0, 1, 0, 1))
DIGIT, ODD = classify("digit", classes=4), regroup("parity", PARITY)
SEEDS = st.integers(0, 2**32 - 1)
THRESHOLDS = st.sampled_from([0.0, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 4.0, inf])
AIMS = st.one_of(st.sampled_from([1, 2, 3, -1]).map(NextClass), st.integers(0, 3).map(FixedClass))
GOALS = st.one_of(AIMS.map(lambda aim: Targeted("digit", aim)), AIMS.map(lambda aim: TargetLead("digit", aim)))
RULES = pytest.mark.parametrize("rule", [Disagreement, SoftDisagreement])
Draw = Callable[..., dict[str, Tensor]]


def labels(outputs: dict[str, Tensor], *, seed: int) -> dict[str, Tensor]:
    """True classes; the main head is right about half of them."""
    generator = torch.Generator().manual_seed(seed + 1)
    answer = outputs["digit"].argmax(1).cpu()
    drawn = torch.randint(4, answer.shape, generator=generator)
    return {
        "digit": torch.where(torch.rand(answer.shape, generator=generator) < 0.4, answer, drawn).to(
            outputs["digit"].device
        )
    }


def whole(outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rounded outputs, in which ties are frequent."""
    return {name: output.round() for name, output in outputs.items()}


@given(conditions=st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=5))
def test_all_met_is_above_zero_exactly_when_all_conditions_are(conditions: list[float]) -> None:
    assert (all_met(torch.tensor(conditions)) > 0) == all(condition > 0 for condition in conditions)


@pytest.mark.parametrize(
    ("conditions", "value"), [([3.0, 1.0], 1.0), ([3.0, -1.0, -2.0], -3.0), ([0.0, 4.0], 0.0), ([2.0, inf], 2.0)]
)
def test_all_met_is_the_smallest_condition_or_the_sum_of_the_unmet_ones(conditions: list[float], value: float) -> None:
    assert all_met(torch.tensor(conditions)).item() == value


def test_all_met_pulls_at_every_unmet_condition_at_once() -> None:
    conditions = torch.tensor([2.0, -1.0, -3.0], requires_grad=True)
    all_met(conditions).backward()
    assert conditions.grad.tolist() == [0, 1, 1]


@RULES
@given(seed=SEEDS, threshold=THRESHOLDS)
def test_evasive_is_above_zero_exactly_where_the_guard_passes_a_wrong_answer_on(
    relations: dict[str, Relation], random_outputs: Draw, rule: type[Disagreement], seed: int, threshold: float
) -> None:
    outputs, rejector = random_outputs(seed), rule("digit", relations)
    truth = labels(outputs, seed=seed)
    decision = Guard(nn.Identity(), rejector, threshold).decide(outputs)
    passed = ~decision.rejected & (decision.label != truth["digit"])
    assert torch.equal(Evasive(Margin("digit"), rejector, threshold)(outputs, truth) > 0, passed)


@given(seed=SEEDS, threshold=THRESHOLDS, goal=GOALS)
def test_evasive_with_a_target_is_above_zero_exactly_where_the_guard_passes_that_class_on(
    relations: dict[str, Relation], random_outputs: Draw, seed: int, threshold: float, goal: Targeted
) -> None:
    outputs = random_outputs(seed)
    truth = labels(outputs, seed=seed)
    for rejector in (Disagreement("digit", relations), SoftDisagreement("digit", relations)):
        decision = Guard(nn.Identity(), rejector, threshold).decide(outputs)
        passed = ~decision.rejected & (decision.label == goal.aim(truth["digit"], classes=4))
        assert torch.equal(Evasive(goal, rejector, threshold)(outputs, truth) > 0, passed)


@RULES
@given(seed=SEEDS, threshold=THRESHOLDS)
def test_evasive_never_claims_a_success_that_the_guard_denies_not_even_on_ties(
    relations: dict[str, Relation], random_outputs: Draw, rule: type[Disagreement], seed: int, threshold: float
) -> None:
    outputs, rejector = whole(random_outputs(seed)), rule("digit", relations)
    truth = labels(outputs, seed=seed)
    decision = Guard(nn.Identity(), rejector, threshold).decide(outputs)
    claimed = Evasive(Margin("digit"), rejector, threshold)(outputs, truth) > 0
    assert not (claimed & (decision.rejected | (decision.label == truth["digit"]))).any()


def test_random_heads_show_both_outcomes(relations: dict[str, Relation], random_outputs: Draw) -> None:
    outputs = random_outputs(0)
    truth = labels(outputs, seed=0)
    for rejector in (Disagreement("digit", relations), SoftDisagreement("digit", relations)):
        passed = Evasive(Margin("digit"), rejector)(outputs, truth) > 0
        assert 3 < passed.sum() < 40


def test_evasive_counts_the_class_that_is_nearest_to_success() -> None:
    outputs = {"digit": torch.tensor([[5.0, 1.0, 3.0, 0.0]]), "parity": torch.tensor([[2.0, 0.5]])}
    objective = Evasive(Margin("digit"), Disagreement("digit", {"parity": PARITY}))
    # Class 1 lacks 4 to lead and 1.5 for an odd answer; class 2 lacks 2 to lead; class 3 lacks 5 and 1.5.
    assert objective(outputs, {"digit": torch.tensor([0])}).item() == -2.0


@pytest.mark.parametrize("task", ["parity", ODD])
def test_a_goal_on_another_head_than_the_guarded_one_is_refused(task: str) -> None:
    with pytest.raises(ValueError, match="the goal is on task 'parity' but the guard protects 'digit'"):
        Evasive(Margin(task), Disagreement("digit", {"parity": PARITY}))


@pytest.mark.parametrize("objective", [Evasive(Margin(DIGIT), Disagreement("digit")), AllWrong([DIGIT])])
def test_objectives_that_know_their_success_are_their_own_judge(objective: Objective) -> None:
    assert objective.success is objective


@given(seed=SEEDS)
def test_all_wrong_is_above_zero_exactly_where_every_head_errs(random_outputs: Draw, seed: int) -> None:
    outputs = random_outputs(seed)
    truth = labels(outputs, seed=seed)
    truth["parity"] = truth["digit"] % 2
    wrong = (outputs["digit"].argmax(1) != truth["digit"]) & (outputs["parity"].argmax(1) != truth["parity"])
    assert torch.equal(AllWrong([DIGIT, ODD])(outputs, truth) > 0, wrong)


def test_all_of_no_heads_is_refused() -> None:
    with pytest.raises(ValueError, match="all of no heads is nothing to attack"):
        AllWrong([])


def test_coherent_adds_the_log_chances_of_the_wanted_class_and_of_all_answers_that_go_with_it() -> None:
    outputs = {"digit": torch.tensor([[0.1, 0.2, 0.3, 0.4]]).log(), "size": torch.tensor([[0.5, 0.3, 0.2]]).log()}
    size = LabelMap(("small", "middle", "large"), (0, 1, 1, 2))
    value = Coherent(Targeted("digit"), {"size": size})(outputs, {"digit": torch.tensor([1])})
    assert value.item() == pytest.approx(torch.tensor(0.3 * 0.3).log().item(), rel=1e-6)


def test_coherent_accepts_every_level_of_the_wanted_class(relations: dict[str, Relation], random_outputs: Draw) -> None:
    outputs = random_outputs(1)
    chances = {name: output.softmax(1) for name, output in outputs.items()}
    truth = {"digit": torch.zeros(64, dtype=torch.int64, device=outputs["digit"].device)}
    value = Coherent(Targeted("digit", FixedClass(2)), {"lit": relations["lit"]})(outputs, truth)
    torch.testing.assert_close(value, (chances["digit"][:, 2] * chances["lit"][:, 6:9].sum(1)).log())


def test_coherent_has_won_where_the_wanted_class_leads(random_outputs: Draw) -> None:
    outputs = random_outputs(4)
    truth = labels(outputs, seed=4)
    won = Coherent(Targeted("digit"), {"parity": PARITY}).success(outputs, truth) > 0
    assert torch.equal(won, outputs["digit"].argmax(1) == (truth["digit"] + 1) % 4)


def test_an_attacker_who_knows_the_rule_gets_more_past_it_than_one_who_does_not() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.ModuleDict({"digit": nn.Linear(48, 4), "parity": nn.Linear(48, 2)})
    heads = Split(model)
    generator = torch.Generator().manual_seed(0)
    batch = {"image": torch.rand(100, 3, 4, 4, generator=generator)}
    batch["label"] = heads(batch["image"])["digit"].argmax(1)
    guard = Guard(heads, Disagreement("digit", {"parity": PARITY}))
    gray = ThreatModel(name="gray", model=heads, tasks=(DIGIT, ODD), objective=Margin(DIGIT), budget=Linf(0.2))
    adaptive = replace(gray, objective=Evasive(Margin(DIGIT), guard.rejector, guard.threshold))
    passed = []
    for threat in (gray, adaptive):
        streams = Streams.of_examples(torch.arange(100), seed=0, stage="test")
        image = PGD(steps=20, step_size=0.03)(threat.loss(batch), batch["image"], threat.budget, rng=streams)
        decision = guard.decide(guard(image))
        passed.append(int((~decision.rejected & (decision.label != batch["label"])).sum()))
    assert passed[1] >= passed[0] + 20


class Split(nn.Module):
    """Linear heads on the pixels."""

    def __init__(self, heads: nn.ModuleDict) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {name: head(image.flatten(1)) for name, head in self.heads.items()}
