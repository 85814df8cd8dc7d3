"""The study of Hyun & Park 2024: whether hidden tasks harden a classifier, and what rejection adds.

Five data sets, four task combinations, two trainings, clean images and three attacks (Tables 2 and 3, Figs. 3 and 4),
each attack by a gray-box, a white-box and an adaptive attacker. Our numbers stand beside the paper's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from manyheads import recipes
from manyheads.experiments import Experiment, lies_in
from manyheads.studies.grid import grid
from manyheads.studies.printed_numbers import PrintedTables, hyun2024
from manyheads.studies.study import Study

Profile = Literal["quick", "paper"]
"""Small models in minutes on two cores, or the paper's setting for a GPU."""

DataSet = Literal["mnist", "svhn", "gtsrb", "cifar10", "tiny_imagenet"]
"""The paper's data sets."""

QUICK: Mapping[DataSet, Callable[[], Experiment]] = {
    "mnist": recipes.mnist,
    "svhn": recipes.svhn,
    "gtsrb": recipes.gtsrb,
    "cifar10": recipes.cifar10,
    "tiny_imagenet": recipes.tiny_imagenet,
}
"""The recipe of each data set in the profile `quick`."""

PAPER: Mapping[DataSet, Callable[[], Experiment]] = {
    "mnist": recipes.mnist_paper,
    "svhn": recipes.svhn_paper,
    "gtsrb": recipes.gtsrb_paper,
    "cifar10": recipes.cifar10_paper,
    "tiny_imagenet": recipes.tiny_imagenet_paper,
}
"""The recipe of each data set in the profile `paper`."""

QUICK_PLAIN_EPOCHS: Mapping[DataSet, int] = {"mnist": 1, "gtsrb": 5}
"""Plain training needs fewer epochs than hardening to converge."""

NAMES: Mapping[DataSet, str] = {
    "mnist": "MNIST",
    "svhn": "SVHN",
    "gtsrb": "GTSRB",
    "cifar10": "CIFAR-10",
    "tiny_imagenet": "Tiny ImageNet",
}
"""What the data sets are called in print."""

_FOLDER = "hyun2024-"


def study(data: DataSet, *, profile: Profile, data_root: Path, seed: int = 0, folder: Path = Path("runs")) -> Study:
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
    name = f"{_FOLDER}{profile}" + (f"-seed{seed}" if seed else "")
    return Study(
        title=f"Hidden tasks on {NAMES[data]} ({profile} profile of the study of Hyun & Park 2024)",
        folder=folder / name / recipe.name,
        members=grid(recipe, study=name, plain_epochs=plain_epochs),
        printed=hyun2024(data, hidden=tuple(recipe.hidden)),
    )


def present(data_root: Path) -> tuple[DataSet, ...]:
    """List the data sets of the study that a folder holds, whole or not; nothing is read.

    A damaged one is listed too, so that running it says what is wrong with it.

    Raises:
        ValueError: if there is none.
    """
    found: list[DataSet] = [data for data in QUICK if lies_in(data_root, data=data)]
    if not found:
        what = "holds none of the study's data sets" if data_root.is_dir() else "is no folder"
        raise ValueError(f"{data_root} {what}; wanted are {', '.join(NAMES.values())}, in their official layouts")
    return tuple(found)


def printed_beside(experiments: Sequence[Experiment]) -> PrintedTables:
    """Find the paper's numbers for members of this study; empty for other experiments.

    Args:
        experiments: experiments on one data set.
    """
    richest = max(experiments, key=lambda one: len(one.hidden))
    data = richest.data.name if all(one.name.startswith(_FOLDER) for one in experiments) else ""
    return hyun2024(data, hidden=tuple(richest.hidden))
