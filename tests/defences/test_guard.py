"""The guard: what it answers, what it withholds, and that it leaves the model alone."""

from collections.abc import Callable
from math import inf, nan

import pytest
import torch
from torch import Tensor, nn

from manyheads.defences import REJECTED, Disagreement, Guard, SoftDisagreement
from manyheads.tasks import LabelMap, Relation

PARITY = LabelMap(("even", "odd"), (0, 1, 0, 1))
Draw = Callable[..., dict[str, Tensor]]


class Heads(nn.Module):
    """Two heads on batch-normalised pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.digit, self.parity = nn.Linear(9, 4), nn.Linear(9, 2)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = self.norm(image).flatten(1)
        return {"digit": self.digit(features), "parity": self.parity(features)}


@pytest.fixture
def guard() -> Guard:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Guard(Heads(), Disagreement("digit", {"parity": PARITY})).eval()


@pytest.fixture
def image() -> Tensor:
    return torch.rand(32, 1, 3, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("threshold", "rejected"), [(1.0, [0, 1, 1, 1]), (2.0, [0, 0, 1, 1]), (3.0, [0, 0, 0, 1])])
def test_a_threshold_of_one_rejects_on_any_contradiction_k_on_k_and_their_number_on_all(
    threshold: float, rejected: list[int]
) -> None:
    names = ("first", "second", "third")
    outputs = {"digit": torch.eye(4)[[1, 1, 1, 1]]}  # odd
    for place, name in enumerate(names):
        outputs[name] = torch.eye(2)[[1 - (count > place) for count in range(4)]]
    rejector = Disagreement("digit", dict.fromkeys(names, PARITY))
    decision = Guard(nn.Identity(), rejector, threshold).decide(outputs)
    assert decision.score.tolist() == [0, 1, 2, 3]
    assert decision.rejected.int().tolist() == rejected
    assert decision.label.tolist() == [1, 1, 1, 1]


def test_a_score_that_reaches_the_threshold_is_rejected(relations: dict[str, Relation], random_outputs: Draw) -> None:
    outputs = random_outputs(3)
    rejector = SoftDisagreement("digit", relations)
    reached = float(rejector.score(outputs)[5])
    decision = Guard(nn.Identity(), rejector, reached).decide(outputs)
    assert decision.rejected[5]
    assert torch.equal(decision.rejected, decision.score >= reached)


def test_no_score_reaches_an_infinite_threshold(relations: dict[str, Relation], random_outputs: Draw) -> None:
    guard = Guard(nn.Identity(), Disagreement("digit", relations), inf)
    assert not guard.decide(random_outputs(0)).rejected.any()


def test_outputs_that_are_not_numbers_are_rejected() -> None:
    outputs = {"digit": torch.tensor([[1.0, 0, 0, 0], [nan, 0, 0, 0]]), "parity": torch.tensor([[9.0, 0], [9.0, 0]])}
    decision = Guard(nn.Identity(), SoftDisagreement("digit", {"parity": PARITY}), 100.0).decide(outputs)
    assert decision.rejected.tolist() == [False, True]


def test_predict_gives_the_main_class_or_minus_one(guard: Guard, image: Tensor) -> None:
    decision = guard.decide(guard.model(image))
    expected = [
        REJECTED if out else label for label, out in zip(decision.label.tolist(), decision.rejected, strict=True)
    ]
    assert guard.predict(image).tolist() == expected
    assert REJECTED == -1
    assert 0 < sum(label == REJECTED for label in expected) < len(expected)


def test_predict_keeps_the_mode_of_the_model(guard: Guard, image: Tensor) -> None:
    before = guard.model.norm.running_mean.clone()
    guard.predict(image)
    assert torch.equal(guard.model.norm.running_mean, before)
    guard.train().predict(image)
    assert guard.model.norm.training
    assert not torch.equal(guard.model.norm.running_mean, before)


def test_predict_builds_no_graph(guard: Guard, image: Tensor) -> None:
    assert not guard.predict(image.requires_grad_()).requires_grad


def test_a_guard_returns_the_outputs_of_its_model_unchanged(guard: Guard, image: Tensor) -> None:
    outputs, expected = guard(image), guard.model(image)
    assert outputs.keys() == expected.keys()
    assert all(torch.equal(outputs[name], expected[name]) for name in expected)


def test_a_guard_follows_the_modes_and_holds_the_weights_of_its_model(guard: Guard) -> None:
    assert not guard.model.norm.training
    assert guard.train().model.norm.training
    assert {f"model.{name}" for name in guard.model.state_dict()} == set(guard.state_dict())


def test_a_threshold_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold is a number, got NaN"):
        Guard(Heads(), Disagreement("digit"), nan)
