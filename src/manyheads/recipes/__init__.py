"""Recipes: functions that return a ready experiment; variants call another and `replace`."""

from collections.abc import Callable

from manyheads.experiments import Experiment
from manyheads.recipes.digits import digits, fashion_mnist, mnist, mnist_paper
from manyheads.recipes.objects import (
    cifar10,
    cifar10_paper,
    gtsrb,
    gtsrb_paper,
    image_folder,
    office31,
    svhn,
    svhn_paper,
    tiny_imagenet,
    tiny_imagenet_paper,
)

Recipe = Callable[[], Experiment]
"""A function that returns an experiment."""

RECIPES: dict[str, Recipe] = {
    recipe.__name__: recipe
    for recipe in (
        digits,
        mnist,
        mnist_paper,
        fashion_mnist,
        svhn,
        svhn_paper,
        gtsrb,
        gtsrb_paper,
        cifar10,
        cifar10_paper,
        tiny_imagenet,
        tiny_imagenet_paper,
        office31,
        image_folder,
    )
}
"""All recipes, by name."""

__all__ = [
    "RECIPES",
    "Recipe",
    "cifar10",
    "cifar10_paper",
    "digits",
    "fashion_mnist",
    "gtsrb",
    "gtsrb_paper",
    "image_folder",
    "mnist",
    "mnist_paper",
    "office31",
    "svhn",
    "svhn_paper",
    "tiny_imagenet",
    "tiny_imagenet_paper",
]
