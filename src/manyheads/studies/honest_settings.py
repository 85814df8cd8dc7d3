"""Which models the honest study of hidden tasks compares, and which attack they are put through."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from manyheads import recipes
from manyheads.attacks import PGD
from manyheads.experiments import Experiment, Trial
from manyheads.studies.grid import grid
from manyheads.threats import Linf

Profile = Literal["quick", "paper"]
"""Small models on two cores, or the models of Hyun & Park 2024 for a GPU."""

DataSet = Literal["mnist", "gtsrb", "cifar10"]
"""The data sets of the study."""

NAMES: Mapping[DataSet, str] = {"mnist": "MNIST", "gtsrb": "GTSRB", "cifar10": "CIFAR-10"}
"""What they are called in print."""

PAPER: Mapping[DataSet, Callable[[], Experiment]] = {
    "mnist": recipes.mnist_paper,
    "gtsrb": recipes.gtsrb_paper,
    "cifar10": recipes.cifar10_paper,
}
"""The recipe of each data set in the profile `paper`."""

QUICK_PLAIN_EPOCHS: Mapping[DataSet, int] = {"mnist": 2, "gtsrb": 5, "cifar10": 5}
"""Plain training needs fewer epochs than hardening."""

TRIAL = "pgd untargeted"
"""What the one attack is called; the adaptive attacker adds attacks of their own."""


def quick(data: DataSet) -> Experiment:
    """Make the small recipe of a data set: fewer images and epochs than its own recipe has, minutes on one core."""
    match data:
        case "mnist":
            made = _smaller(recipes.mnist(), epochs=4, train_examples=12000)
        case "gtsrb":
            made = recipes.gtsrb()
        case "cifar10":
            made = _smaller(recipes.cifar10(), epochs=6, train_examples=None)
    return replace(made, sanity_examples=16)


def members(data: DataSet, *, profile: Profile, data_root: Path, seed: int, folder: Path) -> tuple[Experiment, ...]:
    """Make the experiments of one data set and seed: with all hidden tasks and with none, plain and hardened.

    Args:
        data: which data set.
        profile: `quick` or `paper`.
        data_root: the folder that holds the data sets in their official layouts.
        seed: decides everything random.
        folder: where runs are kept.
    """
    recipe = quick(data) if profile == "quick" else PAPER[data]()
    recipe = replace(recipe, name=recipe.data.name, data_root=data_root, folder=folder, seed=seed, sweep=())
    return compared(recipe, study=f"honest-{profile}/seed-{seed}", profile=profile, data=data)


def compared(recipe: Experiment, *, study: str, profile: Profile, data: DataSet) -> tuple[Experiment, ...]:
    """Vary a recipe: all of its hidden tasks or none, plainly trained or hardened; one attack, untargeted.

    Args:
        recipe: a hardened experiment with all hidden tasks and the trial `TRIAL`.
        study: name of the folder of its runs.
        profile: decides how many images are attacked in how many steps.
        data: decides how long plain training is.
    """
    trial = recipe.trials[TRIAL]
    measured = _stronger(trial, steps=20, examples=200 if profile == "quick" else 1000)
    plain_epochs = QUICK_PLAIN_EPOCHS[data] if profile == "quick" else None
    everything = grid(replace(recipe, trials={TRIAL: measured}), study=study, plain_epochs=plain_epochs)
    return tuple(one for one in everything if len(one.hidden) in {0, len(recipe.hidden)})


def _smaller(recipe: Experiment, *, epochs: int, train_examples: int | None) -> Experiment:
    return replace(
        recipe,
        data=replace(recipe.data, train_examples=train_examples),
        training=replace(recipe.training, epochs=epochs),
    )


def _stronger(trial: Trial, *, steps: int, examples: int) -> Trial:
    """Give PGD so many steps, each an eighth of the budget."""
    budget = trial.budget
    return Trial(PGD(steps=steps, step_size=budget.eps / 8), Linf(budget.eps), examples=examples)
