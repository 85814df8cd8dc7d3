"""Gradients that vanish or mislead, and models that answer at random, on models where each share is known."""

import pytest
import torch
from torch import Tensor, nn

from manyheads.defences import Guard, SoftDisagreement
from manyheads.evaluation.sanity_gradient import SETTLED, UPHILL, VANISHING, gradient_checks, randomness_check
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("main", classes=2)


class Bright(nn.Module):
    """Class 1 leads by a multiple of the brightness above one half; a share of images is answered without looking."""

    def __init__(self, *, scale: float = 1.0, deaf: int = 0, stray: float = 0.0) -> None:
        super().__init__()
        self.scale, self.deaf, self.stray, self.passes = scale, deaf, stray, 0

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.passes += 1
        heard = (torch.arange(len(image)) >= self.deaf).to(image)
        score = self.scale * heard * (image.mean((1, 2, 3)) - 0.5) + self.stray * self.passes
        return {"main": torch.stack([torch.zeros_like(score), score], dim=1)}


def threat(model: nn.Module) -> ThreatModel:
    return ThreatModel(
        name="gray-box", model=model, tasks=[TASK], objective=TaskLoss([TASK], {"main": 1.0}), budget=Linf(0.1)
    )


def batch(count: int) -> dict[str, Tensor]:
    image = torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    return {"image": image, "label": (image.mean((1, 2, 3)) > 0.5).long()}


def checked(model: nn.Module, count: int = 60) -> tuple[tuple[str, str, int], tuple[str, str, int]]:
    vanishing, uphill = gradient_checks(threat(model), [batch(count)], main="main", seed=0)
    assert (vanishing.check, uphill.check) == (VANISHING, UPHILL)
    return (vanishing.outcome, vanishing.figures, vanishing.n), (uphill.outcome, uphill.figures, uphill.n)


def test_gradients_that_are_there_pass() -> None:
    vanishing, uphill = checked(Bright())
    assert vanishing == ("passed", "vanished: 0 %, softmax saturated: 0 % of examples", 60)
    assert uphill == ("passed", "a step along the gradient beats a random one: 100 % of examples", 60)


@pytest.mark.parametrize(("deaf", "outcome"), [(3, "passed"), (6, "passed"), (12, "failed")])
def test_a_few_vanished_gradients_may_be_chance(deaf: int, outcome: str) -> None:
    vanishing, _ = checked(Bright(deaf=deaf))
    assert vanishing[:2] == (outcome, f"vanished: {100 * deaf / 60:.3g} %, softmax saturated: 0 % of examples")


@pytest.mark.parametrize(("deaf", "outcome"), [(15, "passed"), (24, "failed")])
def test_without_a_gradient_no_step_goes_uphill(deaf: int, outcome: str) -> None:
    _, uphill = checked(Bright(deaf=deaf))
    assert uphill[0] == outcome
    assert uphill[1].endswith(f"{100 * (60 - deaf) / 60:.3g} % of examples")


def test_saturation_is_told_but_is_no_fault_while_gradients_remain() -> None:
    vanishing, _ = checked(Bright(scale=200.0))
    assert vanishing[0] == "passed"
    assert "softmax saturated: 0 %" not in vanishing[1]


def test_what_no_float_can_show_is_not_judged() -> None:
    model = Bright(scale=1e-12)  # its gradient is there, and far too small to change a loss
    _, uphill = checked(model)
    assert uphill == ("not applicable", "no step changes the loss by anything that floats can show", 0)


def test_examples_of_several_batches_are_counted_together() -> None:
    vanishing, uphill = gradient_checks(threat(Bright()), [batch(5), batch(7)], main="main", seed=0)
    assert (vanishing.n, uphill.n) == (12, 12)


def settled(model: nn.Module) -> tuple[str, str, int]:
    found = randomness_check(model, threat(model), [batch(20)], main="main")
    assert found.check == SETTLED
    return found.outcome, found.figures, found.n


def test_a_settled_model_passes() -> None:
    assert settled(Bright()) == ("passed", "two passes give the same outputs", 20)


def test_rounding_differences_are_no_randomness() -> None:
    assert settled(Bright(stray=1e-8))[0] == "passed"


def test_other_answers_are_counted() -> None:
    outcome, figures, _ = settled(Bright(stray=10.0))
    assert outcome == "failed"
    assert figures.startswith("two passes differ: other answers on 0 %, outputs by up to ")


def test_dropout_that_works_in_training_only_is_no_randomness() -> None:
    model = nn.Sequential(nn.Dropout(0.5), Bright()).train()
    assert settled(model)[0] == "passed"
    assert model.training


def test_a_guard_is_as_random_as_its_model() -> None:
    model = Bright(stray=0.5)
    found = randomness_check(Guard(model, SoftDisagreement("main")), threat(model), [batch(4)], main="main")
    assert found.outcome == "failed"
