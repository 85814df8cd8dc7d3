"""The demonstration: the study of Hyun & Park 2024 on scikit-learn's digits, without any download, in minutes."""

from dataclasses import replace
from pathlib import Path

from manyheads import recipes
from manyheads.studies.grid import grid
from manyheads.studies.printed_numbers import hyun2024
from manyheads.studies.study import Study


def study(*, seed: int = 0, folder: Path = Path("runs")) -> Study:
    """Make the study: four task combinations, each plainly and adversarially trained.

    Args:
        seed: decides everything random.
        folder: where runs are kept.
    """
    recipe = replace(recipes.digits(), seed=seed, folder=folder)
    name = "demo" + (f"-seed{seed}" if seed else "")
    return Study(
        title="Hidden tasks on 8×8 digits",
        folder=folder / name,
        members=grid(recipe, study=name),
        printed=hyun2024("digits", hidden=tuple(recipe.hidden)),
    )
