"""Recipes: functions that return a ready experiment; variants call another and `replace`."""

from manyheads.recipes.catalogue import RECIPES, Recipe, find
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
from manyheads.recipes.scenes import cityscapes, cityscapes_paper, drawn, nyuv2, nyuv2_paper, taskonomy_paper

__all__ = [
    "RECIPES",
    "Recipe",
    "cifar10",
    "cifar10_paper",
    "cityscapes",
    "cityscapes_paper",
    "digits",
    "drawn",
    "fashion_mnist",
    "find",
    "gtsrb",
    "gtsrb_paper",
    "image_folder",
    "mnist",
    "mnist_paper",
    "nyuv2",
    "nyuv2_paper",
    "office31",
    "svhn",
    "svhn_paper",
    "taskonomy_paper",
    "tiny_imagenet",
    "tiny_imagenet_paper",
]
