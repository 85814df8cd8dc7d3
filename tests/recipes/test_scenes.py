"""Every recipe of dense tasks says what it should, and takes one tiny step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from manyheads.attacks import FGSM, MIM, PGD
from manyheads.data.taskonomy import INDOOR_CLASSES
from manyheads.experiments import DenseExperiment, VulnerabilityPlan, bars, run
from manyheads.recipes import (
    RECIPES,
    cityscapes,
    cityscapes_paper,
    drawn,
    find,
    nyuv2,
    nyuv2_paper,
    taskonomy_paper,
)
from manyheads.tasks import PAPER_LETTERS

DENSE = (drawn, nyuv2, nyuv2_paper, cityscapes, cityscapes_paper, taskonomy_paper)
LEVEL = 1 / 255
SIZE = (32, 64)
KINDS = {
    "depth_zbuffer": np.uint16,
    "depth_euclidean": np.uint16,
    "edge_texture": np.uint16,
    "edge_occlusion": np.uint16,
    "keypoints2d": np.uint16,
    "keypoints3d": np.uint16,
    "segment_semantic": np.uint8,
}


def write(path: Path, numbers: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbers).save(path)


def smooth(*shape: int) -> np.ndarray:
    return np.linspace(1, 250, int(np.prod(shape))).reshape(shape).astype(np.uint8)


def write_rooms(root: Path) -> None:
    for part, count in (("train", 3), ("val", 1)):
        for number in range(count):
            write(root / part / "image" / f"{number}.jpg", smooth(*SIZE, 3))
            write(root / part / "label40" / f"{number}.png", smooth(*SIZE) // 10)
            write(root / part / "depth" / f"{number}.png", smooth(*SIZE).astype(np.uint16) + 100)


def write_streets(root: Path) -> None:
    for part, city in (("train", "ulm"), ("train", "bonn"), ("train", "jena"), ("val", "trier")):
        name = f"{city}_000000_000019"
        write(root / "leftImg8bit" / part / city / f"{name}_leftImg8bit.png", smooth(*SIZE, 3))
        write(root / "gtFine" / part / city / f"{name}_gtFine_labelIds.png", smooth(*SIZE) // 10)
        write(root / "disparity" / part / city / f"{name}_disparity.png", smooth(*SIZE).astype(np.uint16) * 200)


def write_buildings(root: Path) -> None:
    for building in ("ames", "bohn", "cole"):
        for kind in ("rgb", "normal", "principal_curvature", "reshading"):
            write(root / kind / building / f"point_0_view_0_domain_{kind}.png", smooth(*SIZE, 3))
        for kind, width in KINDS.items():
            name = f"point_0_view_0_domain_{kind.replace('segment_semantic', 'segmentsemantic')}.png"
            most = len(INDOOR_CLASSES) if kind == "segment_semantic" else 2000
            write(root / kind / building / name, np.linspace(1, most, 2048).reshape(SIZE).astype(width))
    rows = ["id,train,val,test", "ames,1,0,0", "bohn,0,1,0", "cole,0,0,1"]
    (root / "train_val_test_tiny.csv").write_text("\n".join(rows))


WRITERS = {"nyuv2": write_rooms, "cityscapes": write_streets, "taskonomy": write_buildings}


def written(scenes: str, root: Path) -> Path | None:
    """A folder with a few frames, or None for scenes that need none."""
    if scenes not in WRITERS:
        return None
    WRITERS[scenes](root)
    return root


def shrunk(experiment: DenseExperiment, folder: Path) -> DenseExperiment:
    """One step of training, and one of the first attack and of those with a goal of their own."""
    one_step = {PGD: PGD(1, LEVEL), MIM: MIM(1, LEVEL), FGSM: FGSM()}
    trials = {
        name: replace(trial, attack=one_step[type(trial.attack)], examples=1)
        for place, (name, trial) in enumerate(experiment.trials.items())
        if place == 0 or trial.goal != "loss"
    }
    planned = VulnerabilityPlan(examples=1, draws=2, pixels=(1, 5)) if experiment.vulnerability else None
    crop = SIZE if experiment.scenes.crop else None
    scenes = replace(experiment.scenes, size=SIZE, train_examples=1, test_examples=1, validation_share=0.4, crop=crop)
    return replace(
        experiment,
        scenes=scenes,
        training=replace(experiment.training, epochs=1),
        trials=trials,
        sweep=(),
        sweep_trials=(),
        vulnerability=planned,
        sanity_examples=1 if experiment.scenes.name == "drawn" else 0,
        workers=0,
        folder=folder,
    )


@pytest.mark.parametrize("recipe", DENSE, ids=lambda recipe: recipe.__name__)
def test_every_recipe_of_dense_tasks_takes_one_tiny_step(recipe, tmp_path: Path) -> None:
    experiment = recipe()
    tiny = replace(shrunk(experiment, tmp_path / "runs"), data_root=written(experiment.scenes.name, tmp_path / "data"))
    with bars(Console(quiet=True)) as quiet:
        outcome = run(tiny, quiet)
    assert set(outcome.scores["task"]) == set(experiment.tasks)
    assert set(outcome.scores["attack"]) == set(tiny.trials)


@pytest.mark.parametrize("recipe", DENSE, ids=lambda recipe: recipe.__name__)
def test_every_recipe_of_dense_tasks_is_in_the_catalogue(recipe) -> None:
    assert RECIPES[recipe.__name__] is recipe
    assert find(recipe.__name__) == recipe()
    assert recipe().name == recipe.__name__.replace("_", "-")


def test_steps_are_one_level_of_an_8_bit_image() -> None:
    steps = {
        trial.attack.step_size
        for recipe in DENSE
        for trial in recipe().trials.values()
        if isinstance(trial.attack, PGD | MIM)
    }
    assert steps == {LEVEL}
    assert {trial.budget.eps for recipe in DENSE for trial in recipe().trials.values()} == {4 * LEVEL}


@pytest.mark.parametrize("recipe", [nyuv2_paper, cityscapes_paper, taskonomy_paper], ids=lambda recipe: recipe.__name__)
def test_paper_profiles_have_the_paper_s_attacks(recipe) -> None:
    experiment = recipe()
    assert experiment.trials.keys() >= {"fgsm", "pgd", "mim", "pgd-10", "pgd-20", "pgd-50", "pgd-100"}
    assert experiment.trials["pgd"].attack == PGD(5, LEVEL)
    assert all(trial.examples is None for trial in experiment.trials.values())
    assert sorted([round(255 * eps) for eps in experiment.sweep] + [4]) == [1, 2, 4, 8, 16]


def test_paper_profiles_on_rooms_have_all_eleven_tasks() -> None:
    for recipe in (nyuv2_paper, taskonomy_paper):
        assert recipe().tasks == tuple(PAPER_LETTERS.values())
        assert sum(recipe().weights.values()) == pytest.approx(1.1)
