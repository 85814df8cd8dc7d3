"""Rejection rules, against counts and sums by hand, and what an attacker is told about them."""

from collections.abc import Callable
from math import inf, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from manyheads.defences import Disagreement, Rejector, SoftDisagreement
from manyheads.tasks import LabelMap, Relation

PARITY = LabelMap(("even", "odd"), (0, 1, 0))
SIZE = LabelMap(("small", "large"), (0, 0, 1))
SEEDS = st.integers(0, 2**32 - 1)
Draw = Callable[..., dict[str, Tensor]]


def answers(digit: list[int], parity: list[int], size: list[int]) -> dict[str, Tensor]:
    """Outputs that give these answers."""
    one_hot = torch.nn.functional.one_hot
    return {
        "digit": one_hot(torch.tensor(digit), 3).float(),
        "parity": one_hot(torch.tensor(parity), 2).float(),
        "size": one_hot(torch.tensor(size), 2).float(),
    }


def answering(outputs: dict[str, Tensor], *, answer: int) -> dict[str, Tensor]:
    """The same outputs, but with this answer of the main head."""
    return {**outputs, "digit": torch.eye(4).to(outputs["digit"])[answer].expand_as(outputs["digit"])}


def brute_force_surprise(outputs: dict[str, Tensor], relations: dict[str, Relation]) -> Tensor:
    """Add up the probability of all coherent joint answers, one class and one group at a time."""
    main = outputs["digit"].double().softmax(1)
    total = torch.zeros(len(main), dtype=torch.float64)
    for answer in range(main.shape[1]):
        joint = main[:, answer].clone()
        for name, relation in relations.items():
            chance = outputs[name].double().softmax(1)
            joint = joint * sum(chance[:, group] for group in relation.compatible[answer].nonzero()[:, 0].tolist())
        total += joint
    return -total.log()


def test_disagreement_counts_the_hidden_heads_that_contradict_the_main_one() -> None:
    rejector = Disagreement("digit", {"parity": PARITY, "size": SIZE})
    outputs = answers(digit=[0, 0, 1, 2, 2], parity=[0, 1, 1, 1, 0], size=[0, 0, 0, 0, 1])
    assert rejector.score(outputs).tolist() == [0, 1, 0, 2, 0]


def test_disagreement_accepts_any_level_of_the_right_class(relations: dict[str, Relation]) -> None:
    rejector = Disagreement("digit", {"lit": relations["lit"]})
    outputs = {"digit": torch.eye(4)[[1] * 12], "lit": torch.eye(12)}
    assert rejector.score(outputs).tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_without_hidden_heads_nothing_is_ever_suspicious(random_outputs: Draw) -> None:
    outputs = random_outputs(0)
    assert not Disagreement("digit").score(outputs).any()
    torch.testing.assert_close(SoftDisagreement("digit").score(outputs), torch.zeros(64), check_device=False)


def test_surprise_is_minus_log_of_the_chance_that_independent_answers_agree() -> None:
    chances = {"digit": [0.5, 0.3, 0.2], "parity": [0.9, 0.1], "size": [0.4, 0.6]}
    outputs = {name: torch.tensor([values]).log() for name, values in chances.items()}
    score = SoftDisagreement("digit", {"parity": PARITY, "size": SIZE}).score(outputs)
    assert score.item() == pytest.approx(-log(0.5 * 0.9 * 0.4 + 0.3 * 0.1 * 0.4 + 0.2 * 0.9 * 0.6), rel=1e-6)


@given(seed=SEEDS)
def test_surprise_is_what_a_sum_over_all_joint_answers_gives(
    relations: dict[str, Relation], random_outputs: Draw, seed: int
) -> None:
    outputs = random_outputs(seed)
    expected = brute_force_surprise({name: output.cpu() for name, output in outputs.items()}, relations)
    found = SoftDisagreement("digit", relations).score(outputs).cpu().double()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@given(seed=SEEDS)
def test_surprise_of_confident_heads_is_the_papers_rule(
    relations: dict[str, Relation], random_outputs: Draw, seed: int
) -> None:
    confident = {name: 1e4 * output for name, output in random_outputs(seed).items()}
    surprise = SoftDisagreement("digit", relations).score(confident)
    count = Disagreement("digit", relations).score(confident)
    clear = (surprise < 1e-3) | (surprise > 1)  # a near tie of two answers is neither
    assert clear.float().mean() > 0.9
    assert ((surprise > 1) == (count >= 1))[clear].all()


@pytest.mark.parametrize("kind", [Disagreement, SoftDisagreement])
@given(seed=SEEDS, threshold=st.sampled_from([-1.0, 0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.1, 4.0, inf]))
def test_conditions_are_all_above_zero_exactly_where_the_rejector_is_silent(
    relations: dict[str, Relation], random_outputs: Draw, kind: type[Disagreement], seed: int, threshold: float
) -> None:
    rejector = kind("digit", relations)
    for answer in range(4):
        outputs = answering(random_outputs(seed), answer=answer)
        silent = rejector.score(outputs) < threshold
        told = (rejector.conditions(outputs, threshold)[:, answer] > 0).all(1)
        assert torch.equal(told, silent)


@pytest.mark.parametrize("threshold", [1.0, 2.0, 3.0])
def test_conditions_of_disagreement_are_as_many_as_heads_must_agree(
    relations: dict[str, Relation], random_outputs: Draw, threshold: float
) -> None:
    conditions = Disagreement("digit", relations).conditions(random_outputs(1), threshold)
    assert conditions.shape == (64, 4, 4 - int(threshold))


@pytest.mark.parametrize(
    "rejector", [Disagreement("digit", {"parity": PARITY}), SoftDisagreement("digit", {"parity": PARITY})]
)
def test_a_tie_between_hidden_answers_tells_no_attacker_of_success(rejector: Rejector) -> None:
    outputs = {"digit": torch.tensor([[5.0, 0.0, 0.0]]), "parity": torch.zeros(1, 2)}
    assert not (rejector.conditions(outputs, 0.5) > 0).all()


def test_conditions_are_differentiable_in_every_head(relations: dict[str, Relation], random_outputs: Draw) -> None:
    outputs = {name: output.requires_grad_() for name, output in random_outputs(2).items()}
    SoftDisagreement("digit", relations).conditions(outputs, 1.0).sum().backward()
    assert all(output.grad.abs().sum() > 0 for output in outputs.values())


@pytest.mark.parametrize(
    ("asked", "found"),
    [(-inf, 1.0), (-3.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0001, 2.0), (2.0, 2.0), (2.5, 3.0), (inf, inf)],
)
def test_admissible_thresholds_of_disagreement_are_whole_and_at_least_one(asked: float, found: float) -> None:
    assert Disagreement("digit").admissible(asked) == found


def test_every_threshold_of_surprise_is_admissible() -> None:
    assert SoftDisagreement("digit").admissible(0.37) == 0.37
