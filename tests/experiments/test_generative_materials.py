from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from manyheads.experiments import Bars, bars
from manyheads.experiments.generative_experiment import GeneratorArchitecture
from manyheads.experiments.generative_materials import (
    Victim,
    make_perturber,
    open_victims,
    part_of,
    targets_of,
    threats_of,
    trained_threats_of,
)
from manyheads.models import PerInstance, Universal
from manyheads.threats import Logarithmic, Targeted, TaskLoss

SHAPE = (3, 16, 24)


@pytest.fixture(scope="module")
def silent() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as shown:
        yield shown


@pytest.fixture(scope="module")
def digits(tiny_generative, silent: Bars, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A generator against classifiers, and these."""
    experiment = tiny_generative(tmp_path_factory.mktemp("digits"))
    return experiment, open_victims(experiment, silent)


@pytest.fixture(scope="module")
def rooms(tiny_generative, silent: Bars, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A generator against a dense model, and this with the other that it is tried on."""
    experiment = tiny_generative(tmp_path_factory.mktemp("rooms"), dense=True)
    return experiment, open_victims(experiment, silent)


def test_victims_are_frozen_and_trained(digits: tuple) -> None:
    _, victims = digits
    assert list(victims) == ["first", "second"]
    for victim in victims.values():
        assert not victim.model.training
        assert not any(parameter.requires_grad for parameter in victim.model.parameters())
        assert (len(victim.train), len(victim.class_names)) == (40, 10)
    weights = [next(victim.model.parameters()) for victim in victims.values()]
    assert not torch.equal(*weights)


def test_each_classifier_is_a_task_and_so_is_each_head(digits: tuple, rooms: tuple) -> None:
    assert list(threats_of(*digits)) == ["first", "second"]
    experiment, victims = rooms
    threats = threats_of(experiment, victims)
    assert {name: threat.objective.weights for name, threat in threats.items()} == {
        name: {name: 1.0} for name in ("segmentation", "depth", "normals")
    }
    assert {id(threat.model) for threat in threats.values()} == {id(victims["rooms"].model)}
    assert {threat.budget for threat in threats.values()} == {experiment.budget}


def test_training_raises_the_logarithm_unless_it_is_told_otherwise(tiny_generative, digits: tuple, tmp_path) -> None:
    experiment, victims = digits
    raised = trained_threats_of(experiment, victims)["first"].objective
    assert isinstance(raised, Logarithmic)
    assert isinstance(raised.goal, TaskLoss)
    plain = tiny_generative(tmp_path, training=type(experiment.training)(raised="loss"))
    assert isinstance(trained_threats_of(plain, victims)["first"].objective, TaskLoss)


def test_a_target_is_found_by_its_name(tiny_generative, digits: tuple, tmp_path: Path) -> None:
    _, victims = digits
    experiment = tiny_generative(tmp_path, target="7")
    assert targets_of(experiment, victims) == {"first": 7, "second": 7}
    objective = threats_of(experiment, victims)["second"].objective
    assert isinstance(objective, Targeted)
    assert objective.aim.target == 7
    assert targets_of(digits[0], victims) == {}


def test_an_unknown_target_is_refused(tiny_generative, digits: tuple, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the victim 'first' has no class 'seven' to aim at"):
        targets_of(tiny_generative(tmp_path, target="seven"), digits[1])


def test_all_images_are_taken_where_there_are_not_so_many(digits: tuple) -> None:
    victim: Victim = digits[1]["first"]
    assert part_of(victim.train, None) is victim.train
    assert part_of(victim.train, 1000) is victim.train
    assert len(part_of(victim.train, 3)) == 3


@pytest.mark.parametrize(("method", "encoders"), [("mta", 1), ("gap", 3)])
def test_methods_differ_in_their_encoders(tiny_generative, tmp_path: Path, method, encoders: int) -> None:
    wanted = GeneratorArchitecture(method=method, width=2, blocks=1)
    made = make_perturber(tiny_generative(tmp_path, dense=True, generator=wanted), image_shape=SHAPE)
    assert len(made.generator.encoders) == encoders
    assert made.tasks == ("segmentation", "depth", "normals")


def test_kinds_differ_in_what_they_are_given(tiny_generative, tmp_path: Path) -> None:
    universal = make_perturber(tiny_generative(tmp_path, dense=True), image_shape=SHAPE)
    assert isinstance(universal, Universal)
    assert universal.patterns.shape == (1, *SHAPE)
    assert len(make_perturber(tiny_generative(tmp_path), image_shape=(1, 8, 8)).patterns) == 2
    images = GeneratorArchitecture(kind="per_instance", width=2, blocks=1)
    assert isinstance(make_perturber(tiny_generative(tmp_path, generator=images), image_shape=SHAPE), PerInstance)


def test_the_seed_decides_the_weights(tiny_generative, tmp_path: Path) -> None:
    first, again, other = (
        make_perturber(tiny_generative(tmp_path, seed=seed), image_shape=SHAPE).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
