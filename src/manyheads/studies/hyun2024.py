"""The study of Hyun & Park 2024: do hidden tasks harden a classifier, and what does rejection add?

Five data sets, four task combinations, two trainings, clean images and three attacks (Tables 2 and 3, Figs. 3 and 4),
each attack by a gray-box, a white-box and an adaptive attacker. Our numbers stand beside the paper's.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from manyheads import recipes
from manyheads.experiments import Experiment
from manyheads.studies.grid import Member, grid

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
QUICK_PLAIN_EPOCHS: Mapping[str, int] = {"mnist": 1, "gtsrb": 12}
"""Plain training needs fewer epochs than hardening to converge."""

NAMES: Mapping[str, str] = {
    "mnist": "MNIST",
    "svhn": "SVHN",
    "gtsrb": "GTSRB",
    "cifar10": "CIFAR-10",
    "tiny_imagenet": "Tiny ImageNet",
}
TRIALS: Mapping[str, str] = {"pgd targeted": "pgd_targeted", "pgd untargeted": "pgd_untargeted", "cw": "cw_untargeted"}
"""What the paper calls each trial."""


def members(data: DataSet, *, profile: Profile, data_root: Path, seed: int = 0, folder: Path = Path("runs")) -> tuple[Member, ...]:
    """List the eight experiments of one data set.

    Args:
        data: which data set.
        profile: `quick` for minutes on two cores with small models, `paper` for the paper's setting on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seed: decides everything random.
        folder: where runs are kept.
    """
    recipe: Experiment = (QUICK if profile == "quick" else PAPER)[data]()
    recipe = replace(recipe, data_root=data_root, seed=seed, folder=folder, name=recipe.data.name)
    study = f"hyun2024-{profile}" + (f"-seed{seed}" if seed else "")
    plain_epochs = QUICK_PLAIN_EPOCHS.get(data) if profile == "quick" else None
    return grid(recipe, study=study, plain_epochs=plain_epochs)
