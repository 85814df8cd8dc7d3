"""What is fixed by the paper, or by what a budget means, in the recipes for colour images."""

import pytest

from manyheads import recipes
from manyheads.attacks import CW, PGD
from manyheads.experiments import Hardening
from manyheads.recipes import RECIPES
from manyheads.threats import L2, Linf
from manyheads.training import SGD, StepDecay

COLOUR = ("gtsrb", "cifar10", "svhn", "tiny_imagenet", "office31", "image_folder")
PAPER = ("gtsrb_paper", "cifar10_paper", "svhn_paper", "tiny_imagenet_paper")


@pytest.mark.parametrize("name", [*COLOUR, *PAPER])
def test_colour_images_are_attacked_within_eight_255ths(name: str) -> None:
    recipe = RECIPES[name]()
    assert recipe.training.hardening.budget == Linf(8 / 255)
    assert {trial: (one.attack, one.budget) for trial, one in recipe.trials.items() if trial != "cw"} == {
        "pgd targeted": (PGD(steps=7, step_size=2 / 255), Linf(8 / 255)),
        "pgd untargeted": (PGD(steps=7, step_size=2 / 255), Linf(8 / 255)),
    }
    assert [trial.goal for trial in recipe.trials.values()] == ["targeted", "untargeted", "margin"]
    assert recipe.trials["cw"].budget == L2(float("inf"))


@pytest.mark.parametrize(
    ("name", "encoder", "size", "rate", "cw_rate"),
    [
        ("gtsrb_paper", "alexnet", 112, 0.01, 1e-3),
        ("cifar10_paper", "wide_resnet", None, 0.1, 1e-2),
        ("svhn_paper", "resnet18", None, 0.1, 1e-3),
        ("tiny_imagenet_paper", "resnet18", 32, 0.1, 1e-3),
    ],
)
def test_paper_recipes_have_the_paper_s_setting(
    name: str, encoder: str, size: int | None, rate: float, cw_rate: float
) -> None:
    recipe = RECIPES[name]()
    training = recipe.training
    assert (recipe.architecture.encoder, recipe.data.size) == (encoder, size)
    assert (training.epochs, training.batch_size, training.optimizer) == (200, 128, SGD(rate))
    assert training.schedule == StepDecay(every=50, by=10.0)
    assert training.hardening == Hardening(PGD(steps=7, step_size=2 / 255), Linf(8 / 255))
    assert recipe.trials["cw"].attack == CW(steps=1000, learning_rate=cw_rate)
    assert {trial.examples for trial in recipe.trials.values()} == {None}
    assert recipe.hidden == RECIPES[name.removesuffix("_paper")]().hidden


@pytest.mark.parametrize("name", ["gtsrb", "svhn", "gtsrb_paper", "svhn_paper"])
def test_what_can_be_read_is_never_mirrored(name: str) -> None:
    assert not RECIPES[name]().data.flip


@pytest.mark.parametrize("name", ["cifar10_paper", "tiny_imagenet_paper"])
def test_objects_are_mirrored(name: str) -> None:
    assert RECIPES[name]().data.flip


def test_a_folder_of_one_s_own_has_no_hidden_tasks_yet() -> None:
    recipe = recipes.image_folder()
    assert (recipe.data.name, recipe.main, recipe.hidden) == ("image_folder", "label", {})
