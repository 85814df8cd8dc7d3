"""The catalogue of all recipes by name, and the way to a recipe in a user's own file."""

from collections.abc import Callable, Mapping
from pathlib import Path

from manyheads.experiments import AnyExperiment, DenseExperiment, Experiment, GenerativeExperiment, run_file
from manyheads.recipes.digits import digits, fashion_mnist, mnist, mnist_paper
from manyheads.recipes.generators import (
    digits_mta,
    drawn_mta,
    nyuv2_mta,
    nyuv2_mta_paper,
    nyuv2_mta_per_instance,
    nyuv2_mta_per_instance_paper,
    office31_mta,
    office31_mta_paper,
    office31_mta_per_instance,
    office31_mta_per_instance_paper,
)
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
from manyheads.tasks import suggest

Recipe = Callable[[], AnyExperiment]
"""A function that returns an experiment."""

RECIPES: Mapping[str, Recipe] = {
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
        drawn,
        nyuv2,
        nyuv2_paper,
        cityscapes,
        cityscapes_paper,
        taskonomy_paper,
        digits_mta,
        drawn_mta,
        office31_mta,
        office31_mta_per_instance,
        office31_mta_paper,
        office31_mta_per_instance_paper,
        nyuv2_mta,
        nyuv2_mta_per_instance,
        nyuv2_mta_paper,
        nyuv2_mta_per_instance_paper,
    )
}
"""All recipes, by name."""


def find(recipe: str) -> AnyExperiment:
    """Make the experiment of a recipe.

    A function in a file of one's own may import what lies beside that file.

    Args:
        recipe: name of a recipe, or `FILE.py:FUNCTION` for one's own.

    Raises:
        ValueError: if there is no such recipe, or it returns something else.
        ForeignCodeError: if one's own file cannot be run.

    >>> find("digits").main
    'digit'
    """
    if ":" not in recipe:
        if recipe not in RECIPES:
            hint = suggest(recipe, known=RECIPES)
            raise ValueError(f"no recipe is called {recipe!r}; {hint} Your own is given as FILE.py:FUNCTION")
        return RECIPES[recipe]()
    match made := _own(recipe)():
        case Experiment() | DenseExperiment() | GenerativeExperiment():
            return made
    raise ValueError(
        f"{recipe} returned {type(made).__name__}; a recipe returns an experiment of manyheads.experiments"
    )


def _own(recipe: str) -> Callable[[], object]:
    """Load a function from the user's file."""
    place, _, name = recipe.rpartition(":")
    path = Path(place)
    if not path.is_file() or path.suffix != ".py":
        raise ValueError(f"{place} is not a Python file; your own recipe is given as FILE.py:FUNCTION")
    module = run_file(path)
    functions = {key: value for key, value in vars(module).items() if callable(value) and key[0] != "_"}
    if name not in functions:
        raise ValueError(f"{path} has no function {name!r}; it has: {', '.join(functions) or 'none'}")
    return functions[name]
