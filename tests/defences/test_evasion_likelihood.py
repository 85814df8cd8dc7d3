"""The smooth objective is the probability it claims to be, and leaves the verdict to `Evasive`."""

import pytest
import torch

from manyheads.defences import Disagreement, EvasionLikelihood, Evasive
from manyheads.randomness import Streams
from manyheads.tasks import LabelMap
from manyheads.threats import Margin, NextClass, Targeted

PARITY = LabelMap(("even", "odd"), (0, 1, 0, 1))
SIZE = LabelMap(("small", "big"), (0, 0, 1, 1))
HIDDEN = {"parity": PARITY, "size": SIZE}


@pytest.fixture
def outputs() -> dict[str, torch.Tensor]:
    streams = Streams.of_examples(torch.arange(20), seed=0, stage="outputs")
    return {name: 3 * streams.fork(name).normal(count) for name, count in {"main": 4, "parity": 2, "size": 2}.items()}


@pytest.fixture
def truth() -> dict[str, torch.Tensor]:
    return {"main": torch.arange(20) % 4}


def chance(outputs: dict[str, torch.Tensor], answer: int) -> torch.Tensor:
    """Probability that all heads, drawing independently, answer in keeping with one main class."""
    heads = {name: scores.softmax(1) for name, scores in outputs.items()}
    return heads["main"][:, answer] * heads["parity"][:, answer % 2] * heads["size"][:, answer // 2]


def test_untargeted_it_is_the_chance_of_any_coherent_wrong_answer(outputs, truth):
    objective = EvasionLikelihood(Evasive(Margin("main"), Disagreement("main", HIDDEN)))
    chances = torch.stack([chance(outputs, answer) for answer in range(4)], dim=1)
    wrong = chances.sum(1) - chances.gather(1, truth["main"][:, None])[:, 0]
    torch.testing.assert_close(objective(outputs, truth).exp(), wrong)


def test_targeted_it_is_the_chance_of_the_wanted_answer(outputs, truth):
    objective = EvasionLikelihood(Evasive(Targeted("main", NextClass(2)), Disagreement("main", HIDDEN)))
    chances = torch.stack([chance(outputs, answer) for answer in range(4)], dim=1)
    wanted = chances.gather(1, ((truth["main"] + 2) % 4)[:, None])[:, 0]
    torch.testing.assert_close(objective(outputs, truth).exp(), wanted)


def test_without_hidden_heads_it_is_the_chance_of_a_wrong_answer(outputs, truth):
    objective = EvasionLikelihood(Evasive(Margin("main"), Disagreement("main", {})))
    right = outputs["main"].softmax(1).gather(1, truth["main"][:, None])[:, 0]
    torch.testing.assert_close(objective(outputs, truth).exp(), 1 - right)


def test_it_has_won_where_the_guard_passes_a_wrong_answer(outputs, truth):
    rejector = Disagreement("main", HIDDEN)
    evasion = Evasive(Margin("main"), rejector)
    passed = (outputs["main"].argmax(1) != truth["main"]) & (rejector.score(outputs) < 1)
    assert 0 < int(passed.sum()) < 20
    assert torch.equal(EvasionLikelihood(evasion).success(outputs, truth) > 0, passed)
