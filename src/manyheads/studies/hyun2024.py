"""The study of Hyun & Park 2024: do hidden tasks harden a classifier, and what does rejection add?

Five data sets, four task combinations, two trainings, clean images and three attacks (Tables 2 and 3, Figs. 3 and 4),
each attack by a gray-box, a white-box and an adaptive attacker. Our numbers stand beside the paper's.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from manyheads import recipes
from manyheads.studies.grid import grid
from manyheads.studies.printed_numbers import hyun2024
from manyheads.studies.study import Study

Profile = Literal["quick", "paper"]
DataSet = Literal["mnist", "svhn", "gtsrb", "cifar10", "tiny_imagenet"]

QUICK: Mapping[str, recipes.Recipe] = {
    "mnist": recipes.mnist,
    "svhn": recipes.svhn,
    "gtsrb": recipes.gtsrb,
    "cifar10": recipes.cifar10,
    "tiny_imagenet": recipes.tiny_imagenet,
}
PAPER: Mapping[str, recipes.Recipe] = {
    "mnist": recipes.mnist_paper,
    "svhn": recipes.svhn_paper,
    "gtsrb": recipes.gtsrb_paper,
    "cifar10": recipes.cifar10_paper,
    "tiny_imagenet": recipes.tiny_imagenet_paper,
}
QUICK_PLAIN_EPOCHS: Mapping[str, int] = {"mnist": 1, "gtsrb": 8}
"""Plain training needs fewer epochs than hardening to converge."""

NAMES: Mapping[str, str] = {
    "mnist": "MNIST",
    "svhn": "SVHN",
    "gtsrb": "GTSRB",
    "cifar10": "CIFAR-10",
    "tiny_imagenet": "Tiny ImageNet",
}


def study(
    data: DataSet, *, profile: Profile, data_root: Path, seed: int = 0, folder: Path = Path("runs")
) -> Study:
    """Make the study of one data set: eight experiments.

    Args:
        data: which data set.
        profile: `quick` for minutes on two cores with small models, `paper` for the paper's setting on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seed: decides everything random.
        folder: where runs are kept.
    """
    recipe = (QUICK if profile == "quick" else PAPER)[data]()
    recipe = replace(recipe, data_root=data_root, seed=seed, folder=folder, name=recipe.data.name)
    plain_epochs = QUICK_PLAIN_EPOCHS.get(data) if profile == "quick" else None
    name = f"hyun2024-{profile}" + (f"-seed{seed}" if seed else "")
    return Study(
        title=f"Hidden tasks on {NAMES[data]} ({profile} profile of the study of Hyun & Park 2024)",
        folder=folder / name / recipe.name,
        members=grid(recipe, study=name, plain_epochs=plain_epochs),
        printed=hyun2024(data, hidden=tuple(recipe.hidden)),
    )
