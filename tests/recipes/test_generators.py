"""Every recipe of a generator says what it should, and takes one tiny step against tiny victims."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from manyheads.attacks import PGD
from manyheads.data.office31 import CATEGORIES
from manyheads.experiments import (
    AnyVictim,
    Architecture,
    DenseArchitecture,
    DenseExperiment,
    Experiment,
    GenerativeExperiment,
    GeneratorArchitecture,
    bars,
    run,
)
from manyheads.recipes import RECIPES, find
from manyheads.threats import Linf
from manyheads.training import Adam, StepDecay

GENERATORS = {name: made for name, recipe in RECIPES.items() if isinstance(made := recipe(), GenerativeExperiment)}
STEP = PGD(steps=1, step_size=0.01)
SIZE = (32, 48)
SMALL = {"segnet": "small_segnet", "mtan": "small_mtan"}


def smooth(*shape: int) -> np.ndarray:
    return np.linspace(1, 250, int(np.prod(shape))).reshape(shape).astype(np.uint8)


def write(path: Path, numbers: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbers).save(path)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few images of Office-31's domains and of NYUv2."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    for domain in ("amazon", "dslr", "webcam"):
        for name in CATEGORIES:
            for number in range(3):
                path = folder / "office31" / domain / "images" / name / f"frame_{number:04d}.jpg"
                write(path, generator.integers(0, 256, (20, 20, 3), dtype=np.uint8))
    for part, count in (("train", 4), ("val", 1)):
        for number in range(count):
            write(folder / "nyuv2" / part / "image" / f"{number}.jpg", smooth(*SIZE, 3))
            write(folder / "nyuv2" / part / "label40" / f"{number}.png", smooth(*SIZE) // 10)
            write(folder / "nyuv2" / part / "depth" / f"{number}.png", smooth(*SIZE).astype(np.uint16) + 100)
    return folder


def small(victim: AnyVictim) -> AnyVictim:
    """One step of training on a few small images."""
    if isinstance(victim, DenseExperiment):
        encoder = SMALL.get(victim.architecture.encoder, victim.architecture.encoder)
        return replace(
            victim,
            scenes=replace(victim.scenes, size=SIZE, train_examples=2, test_examples=1, validation_share=0.4),
            architecture=DenseArchitecture(encoder),
            training=replace(victim.training, epochs=1, batch_size=2),
            trials={name: replace(trial, attack=STEP, examples=1) for name, trial in victim.trials.items()},
            sanity_examples=0,
        )
    encoder = "small_resnet" if victim.architecture.encoder == "resnet18" else victim.architecture.encoder
    return replace(
        victim,
        data=replace(victim.data, train_examples=4, size=None if victim.data.name == "digits" else 16),
        architecture=Architecture(encoder, mean=victim.architecture.mean, std=victim.architecture.std),
        training=replace(victim.training, epochs=1, batch_size=4, selection=STEP, selection_examples=2),
        trials={name: replace(trial, attack=STEP, examples=1) for name, trial in victim.trials.items()},
        sanity_examples=0,
    )


def shrunk(experiment: GenerativeExperiment, folder: Path) -> GenerativeExperiment:
    """One step of the generator too."""
    return replace(
        experiment,
        victims={name: small(victim) for name, victim in experiment.victims.items()},
        transfers={name: small(other) for name, other in experiment.transfers.items()},
        generator=GeneratorArchitecture(experiment.generator.method, experiment.generator.kind, width=2, blocks=1),
        training=replace(experiment.training, epochs=1, batch_size=4),
        references={name: STEP for name in experiment.references if name != "noise"},
        examples=2,
        reference_examples=1,
        folder=folder,
    )


@pytest.mark.parametrize("name", GENERATORS)
def test_every_recipe_of_a_generator_takes_one_tiny_step(root: Path, tmp_path: Path, name: str) -> None:
    experiment = GENERATORS[name]
    needs_none = name in {"digits_mta", "drawn_mta"}
    tiny = replace(shrunk(experiment, tmp_path), data_root=None if needs_none else root)
    with bars(Console(quiet=True)) as quiet:
        outcome = run(tiny, quiet)
    assert set(outcome.scores["attack"]) == {"mta", "pgd-10"}
    assert set(outcome.scores["threat"]) == set(experiment.tasks)
    assert set(outcome.scores["model"]) == {*experiment.victims, *experiment.transfers}


def test_there_are_recipes_of_every_kind() -> None:
    assert len(GENERATORS) == 10
    assert {made.generator.kind for made in GENERATORS.values()} == {"universal", "per_instance"}
    assert all(find(name) == made for name, made in GENERATORS.items())


def test_the_papers_settings_are_its_own() -> None:
    objects, rooms = GENERATORS["office31_mta_paper"], GENERATORS["nyuv2_mta_paper"]
    images = GENERATORS["nyuv2_mta_per_instance_paper"]
    assert [made.generator.blocks for made in (objects, rooms, images)] == [6, 4, 10]
    assert [made.generator.width for made in (objects, rooms, images)] == [20, 20, 20]
    assert [made.training.batch_size for made in (objects, rooms, images)] == [10, 5, 5]
    assert {made.training.optimizer for made in (objects, rooms)} == {Adam(2e-4)}
    victim = rooms.victims["dmtl"]
    assert isinstance(victim, DenseExperiment)
    assert (victim.scenes.size, victim.scenes.classes) == ((288, 384), 13)
    assert (victim.training.epochs, victim.training.batch_size) == (200, 2)
    assert victim.training.optimizer == Adam(1e-4)
    assert victim.training.schedule == StepDecay(every=100, by=2.0)
    assert (victim.architecture.encoder, rooms.transfers["mtan"].architecture.encoder) == ("segnet", "mtan")
    assert rooms.budget == Linf(5 / 255)


def test_each_domain_has_a_classifier_of_its_own() -> None:
    for name in ("office31_mta", "office31_mta_paper"):
        victims = GENERATORS[name].victims
        assert list(victims) == ["amazon", "dslr", "webcam"]
        assert [victim.data.domain for victim in victims.values() if isinstance(victim, Experiment)] == list(victims)
        assert {victim.data.flip for victim in victims.values() if isinstance(victim, Experiment)} == {True}
