"""Attacks that cheat, and what evaluation says to them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import nan

import pytest
import torch
from polars.testing import assert_frame_equal
from torch import Tensor

from manyheads.attacks import PGD, Attack, Loss
from manyheads.evaluation import evaluate
from manyheads.randomness import Streams
from manyheads.threats import L1, L2, Budget, Linf
from manyheads.types import Image


@dataclass(frozen=True)
class Returned(Attack):
    """Returns what some function makes of the clean images."""

    made: Callable[[Tensor], Tensor]

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        return self.made(clean)


@dataclass(frozen=True)
class Unchecked(Attack):
    """Returns what some function makes of the clean images, past everything that every attack checks."""

    made: Callable[[Tensor], Tensor]

    def __call__(self, loss: Loss, clean: Tensor, budget: Budget, *, rng: Streams) -> Tensor:  # noqa: ARG002
        return self.made(clean)

    search = __call__


@dataclass(frozen=True)
class Swindler(Attack):
    """Changes the truth instead of the images, and claims nothing less than victory."""

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:  # noqa: ARG002
        loss.truth["digit"].add_(1).remainder_(4)
        return clean


@dataclass(frozen=True)
class Vandal(Attack):
    """Paints over the very images that it was given."""

    def __call__(self, loss: Loss, clean: Image, budget: Budget, *, rng: Streams) -> Image:  # noqa: ARG002
        return clean.fill_(0.5)

    search = __call__


@pytest.mark.parametrize("budget", [Linf(0.1), L2(0.4), L1(1.6)])
def test_one_image_outside_its_budget_is_refused(scene, budget: Budget) -> None:
    def cheat(clean: Tensor) -> Tensor:
        inside = 0.5 + 0 * clean
        inside[-1] += 0.101
        return inside

    scene.examples["image"].fill_(0.5)
    threat = replace(scene.threat, budget=budget)
    with pytest.raises(
        ValueError, match=rf"1 of 10 attacked images are outside the budget {type(budget).__name__}.*project"
    ):
        evaluate(scene.model, threat, Returned(cheat), scene.batches())


@pytest.mark.parametrize("value", [-0.001, 1.001])
def test_pixels_outside_zero_to_one_are_refused(scene, value: float) -> None:
    def cheat(clean: Tensor) -> Tensor:
        image = clean.clone()
        image[3, 0, 1, 1] = value
        return image

    scene.examples["image"][3, 0, 1, 1] = round(value)
    with pytest.raises(ValueError, match=r"1 of 10 attacked images are outside the budget .* or outside \[0, 1\]"):
        evaluate(scene.model, scene.threat, Returned(cheat), scene.batches())


@pytest.mark.parametrize("value", [nan, float("inf")])
def test_pixels_that_are_no_numbers_are_refused(scene, value: float) -> None:
    with pytest.raises(ValueError, match="10 of 10 attacked images are outside the budget"):
        evaluate(scene.model, scene.threat, Returned(lambda clean: clean * value), scene.batches())


@pytest.mark.parametrize(
    "cheat",
    [
        lambda clean: clean[:-1],
        lambda clean: clean[0],
        lambda clean: clean.flatten(1),
        lambda clean: clean.expand(-1, 3, -1, -1),
    ],
    ids=["one missing", "one alone", "flat", "in colour"],
)
def test_images_of_another_shape_are_refused(scene, cheat: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(
        ValueError, match=r"an attack returns images like those it got, \(10, 1, 4, 4\) torch.float32; got"
    ):
        evaluate(scene.model, scene.threat, Unchecked(cheat), scene.batches())


@pytest.mark.parametrize("cheat", [Tensor.double, Tensor.half, Tensor.byte])
def test_images_of_another_type_are_refused(scene, cheat: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(
        ValueError, match=r"images like those it got, .* torch.float32; got .* torch.(float64|float16|uint8)"
    ):
        evaluate(scene.model, scene.threat, Unchecked(cheat), scene.batches())


def test_rounding_is_no_cheat(scene) -> None:
    scene.examples["image"].fill_(0.3)
    evaluate(scene.model, replace(scene.threat, budget=Linf(0.1)), Returned(lambda clean: clean + 0.1), scene.batches())


@pytest.mark.parametrize("cheat", [Swindler(), Vandal()])
def test_changing_the_truth_or_the_clean_images_changes_no_fact(scene, cheat: Attack) -> None:
    threat = replace(scene.threat, budget=Linf(1.0))
    before = {name: value.clone() for name, value in scene.examples.items()}
    table = evaluate(scene.guard, threat, cheat, scene.batches()).table
    honest = evaluate(scene.guard, threat, Returned(Tensor.clone), scene.batches()).table
    clean = ["index", "digit.truth", "parity.truth", "digit.clean", "parity.clean", "loss_clean", "rejected_clean"]
    assert_frame_equal(table.select(clean), honest.select(clean))
    assert (table["won"] == (table["digit.attacked"] != table["digit.truth"])).all()
    assert all(torch.equal(value, before[name]) for name, value in scene.examples.items())


def test_nothing_to_attack_is_refused(scene) -> None:
    with pytest.raises(ValueError, match="there is nothing to attack: the batches are empty"):
        evaluate(scene.model, scene.threat, PGD(), [])


def test_a_threat_that_nobody_can_judge_leaves_open_who_has_won(scene) -> None:
    threat = replace(scene.threat, objective=lambda outputs, _: outputs["digit"].sum(1))
    table = evaluate(scene.model, threat, PGD(steps=1), scene.batches()).table
    assert table["won"].null_count() == len(table)
    assert table["digit.attacked"].null_count() == 0
