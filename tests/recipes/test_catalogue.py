"""Recipes are found by name, and every one of them runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

import manyheads.recipes
from manyheads.data import Loader
from manyheads.experiments import Architecture, Bars, Experiment, run
from manyheads.experiments.materials import make_model, make_tasks, open_data
from manyheads.experiments.stages import _step
from manyheads.recipes import RECIPES, digits, find

Shrink = Callable[[Experiment], Experiment]
BIG = {"wide_resnet", "resnet18", "alexnet"}
CLASSIFIERS = {name: made for name, recipe in RECIPES.items() if isinstance(made := recipe(), Experiment)}


def on_files(recipe: Experiment, files: Path) -> Experiment:
    """Give a recipe its data."""
    roots = {"digits": None, "image_folder": files / "image_folder"}
    return replace(recipe, data_root=roots.get(recipe.data.name, files))


def run_to_the_end(experiment: Experiment, quiet: Bars) -> None:
    """Run, and see that every trial was run by every attacker."""
    outcome = run(experiment, quiet)
    attacked = set(outcome.facts.table["attack", "threat"].rows())
    threats = {"gray-box", "adaptive"} | ({"white-box"} if experiment.hidden else set())
    told = {(trial, threat) for trial in ("pgd targeted", "pgd untargeted", "cw") for threat in threats}
    assert attacked == told | {("pgd untargeted", threat) for threat in ("noise", "transfer")}
    assert outcome.facts.tasks == (experiment.main, *experiment.hidden)
    assert outcome.facts.table.filter(eps=experiment.sweep[0]).height == 4
    assert pl.read_parquet(outcome.files.scores).height > 0


def test_there_are_recipes() -> None:
    assert len(CLASSIFIERS) == 14
    assert len(RECIPES) == 30
    assert set(RECIPES) < set(manyheads.recipes.__all__)
    assert all(recipe is getattr(manyheads.recipes, name) for name, recipe in RECIPES.items())
    assert len({recipe().name for recipe in RECIPES.values()}) == 30


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_says_in_a_line_what_it_is(name: str) -> None:
    line = (RECIPES[name].__doc__ or "").strip().splitlines()[0]
    assert 30 < len(line) < 120
    assert RECIPES[name]().name == name.replace("_", "-")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_recipe_runs_from_data_to_scores(
    small_files: Path, shrunk: Shrink, quiet: Bars, tmp_path: Path, name: str
) -> None:
    experiment = replace(on_files(shrunk(find(name)), small_files), folder=tmp_path)
    small = Architecture("small_resnet") if experiment.architecture.encoder in BIG else experiment.architecture
    run_to_the_end(replace(experiment, architecture=small), quiet)


@pytest.mark.parametrize("name", [name for name, made in CLASSIFIERS.items() if made.architecture.encoder in BIG])
def test_every_big_model_takes_a_training_step(small_files: Path, shrunk: Shrink, name: str) -> None:
    experiment = on_files(shrunk(find(name)), small_files)
    splits = open_data(experiment)
    tasks = make_tasks(experiment, class_names=splits.train.class_names)
    model = make_model(experiment, tasks=tasks, image_shape=splits.train.image_shape)
    losses = _step(tasks, experiment.training.hardening)(model, next(iter(Loader(splits.train, batch_size=2))))
    sum(losses.values()).backward()
    assert list(losses) == [task.name for task in tasks]
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert any(parameter.grad.any() for parameter in model.encoder.parameters())


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mnist", "gtsrb"])
def test_recipes_run_on_real_data(real_data: Path, shrunk: Shrink, quiet: Bars, tmp_path: Path, name: str) -> None:
    experiment = replace(shrunk(find(name)), folder=tmp_path, data_root=real_data)
    small = Architecture("small_resnet") if experiment.architecture.encoder in BIG else experiment.architecture
    run_to_the_end(replace(experiment, architecture=small), quiet)


def test_an_unknown_recipe_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match=r"no recipe is called 'minst'; did you mean 'mnist'\? Your own is given as"):
        find("minst")


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    (tmp_path / "beside_it.py").write_text("SEED = 7\n")
    path = tmp_path / "my_file.py"
    path.write_text(
        "from dataclasses import replace\n"
        "from beside_it import SEED\n"
        "from manyheads.recipes import digits\n"
        "def my_recipe():\n    return replace(digits(), seed=SEED)\n"
        "def number():\n    return 3\n"
    )
    return path


@pytest.fixture(autouse=True)
def paths_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*__import__("sys").path])


def test_a_recipe_of_one_s_own_may_import_what_lies_beside_it(own_file: Path) -> None:
    assert find(f"{own_file}:my_recipe") == replace(digits(), seed=7)


def test_a_file_that_fails_is_blamed_by_line(tmp_path: Path) -> None:
    (path := tmp_path / "failing.py").write_text("from nowhere_at_all import SEED\n")
    with pytest.raises(ValueError, match=r"failing\.py, line 1, in <module> .*ModuleNotFoundError"):
        find(f"{path}:mine")


def test_what_is_no_recipe_is_refused(own_file: Path) -> None:
    with pytest.raises(ValueError, match=r"my_file\.py:number returned int; a recipe returns an experiment"):
        find(f"{own_file}:number")


def test_an_unknown_function_is_refused(own_file: Path) -> None:
    with pytest.raises(ValueError, match=r"my_file\.py has no function 'mine'; it has: .*my_recipe, number"):
        find(f"{own_file}:mine")


@pytest.mark.parametrize("place", ["absent.py", "folder", "notes.txt"])
def test_what_is_no_python_file_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("def mine(): ...")
    with pytest.raises(ValueError, match=r"is not a Python file; your own recipe is given as FILE\.py:FUNCTION"):
        find(f"{tmp_path / place}:mine")


def test_the_seed_of_torch_is_left_alone(own_file: Path) -> None:
    before = torch.random.get_rng_state()
    find(f"{own_file}:my_recipe")
    assert torch.equal(torch.random.get_rng_state(), before)
