from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from manyheads.data import Joint, Loader
from manyheads.experiments import Bars, DenseRecord, RunFiles
from manyheads.experiments.generative_experiment import GenerativeTraining
from manyheads.experiments.generative_stages import (
    _batches,
    attack_victims,
    forays,
    generative_facts_on_disk,
    generative_scores,
    open_generative_workshop,
    train_generator,
)
from manyheads.training import Adam


@pytest.fixture(scope="module")
def shop(tiny_generative, quiet: Bars, tmp_path_factory: pytest.TempPathFactory):
    """The workshop of a targeted generator against classifiers."""
    experiment = tiny_generative(tmp_path_factory.mktemp("shop"), target="7")
    return open_generative_workshop(experiment, RunFiles(experiment.run), quiet)


@pytest.fixture(scope="module")
def facts(shop, quiet: Bars):
    """All facts of that generator."""
    return attack_victims(shop, train_generator(shop, quiet), quiet)


def test_everything_is_listed_once(tiny_generative, tmp_path: Path) -> None:
    listed = [(one.attack, one.task, one.victim) for one in forays(tiny_generative(tmp_path))]
    assert listed == [
        ("mta", "first", "first"),
        ("mta", "second", "second"),
        ("noise", "first", "first"),
        ("noise", "second", "second"),
    ]
    dense = [(one.attack, one.task, one.victim) for one in forays(tiny_generative(tmp_path, dense=True))]
    tasks = ("segmentation", "depth", "normals")
    assert dense == [
        *(("mta", task, "rooms") for task in tasks),
        *(("mta", task, "other") for task in tasks),
        *(("noise", task, "rooms") for task in tasks),
    ]


def test_training_keeps_weights_history_and_record(shop, facts) -> None:
    assert facts.table.height == 2 * (6 + 4)
    history = pl.read_parquet(shop.files.history)
    assert set(history["measure"]) == {"first", "second"}
    assert (shop.files.weights / "last.safetensors").is_file()
    record = DenseRecord.read(shop.files.model)
    assert record.image_shape == (1, 8, 8)
    assert set(record.private) == {"first", "second"}
    assert record.shared > 0


def test_victims_are_as_they_were(shop, facts) -> None:
    assert len(facts.table)
    for victim in shop.victims.values():
        assert not victim.model.training
        assert all(parameter.grad is None for parameter in victim.model.parameters())


def test_a_trained_generator_is_not_trained_again(shop, facts, quiet: Bars) -> None:
    assert len(facts.table)
    made = shop.files.weights / "resume.pt"
    before = made.stat().st_mtime_ns
    weights = [parameter.clone() for parameter in shop.perturber.parameters()]
    again = train_generator(shop, quiet)
    assert made.stat().st_mtime_ns == before
    assert all(torch.equal(one, other) for one, other in zip(weights, again.parameters(), strict=True))


def test_facts_are_read_again_once_all_are_there(shop, facts) -> None:
    assert generative_facts_on_disk(shop.files, shop.experiment).table.equals(facts.table)
    place = forays(shop.experiment)[1].place(shop.files, eps=shop.experiment.budget.eps)[0]
    hidden = place.rename(place.with_suffix(".hidden"))
    assert generative_facts_on_disk(shop.files, shop.experiment) is None
    hidden.rename(place)


def test_facts_say_who_attacked_whom_by_what(facts) -> None:
    seen = set(facts.table["model", "threat", "attack"].rows())
    assert seen == {(name, name, attack) for name in ("first", "second") for attack in ("mta", "noise")}
    assert facts.table["size"].max() <= 0.2 + 1e-6
    assert set(facts.table["eps"]) == {0.2}


def test_targets_are_counted(shop, facts) -> None:
    scores = generative_scores(shop, facts)
    assert set(scores["score"]) == {"fooling_ratio", "accuracy", "target_accuracy"}
    one = {"model": "first", "attack": "mta", "condition": "attacked", "score": "target_accuracy"}
    share = scores.filter(**one)["value"].item()
    answers = facts.table.filter(model="first", attack="mta")["digit.attacked"]
    assert share == pytest.approx(float((answers == 7).mean()))


def test_classifiers_have_a_loader_each_and_dense_tasks_share_one(shop, tiny_generative, quiet, tmp_path) -> None:
    joint = _batches(shop)
    assert isinstance(joint, Joint)
    assert set(joint.loaders) == {"first", "second"}
    experiment = tiny_generative(tmp_path, dense=True, references={}, training=GenerativeTraining(batch_size=3))
    dense = open_generative_workshop(experiment, RunFiles(experiment.run), quiet)
    batches = _batches(dense)
    assert isinstance(batches, Loader)
    assert batches.batch_size == 3


def test_training_lowers_its_losses(tiny_generative, quiet: Bars, tmp_path: Path) -> None:
    training = GenerativeTraining(epochs=12, batch_size=20, optimizer=Adam(5e-3), raised="loss")
    experiment = tiny_generative(tmp_path, training=training)
    shop = open_generative_workshop(experiment, RunFiles(experiment.run), quiet)
    train_generator(shop, quiet)
    history = pl.read_parquet(shop.files.history).group_by("epoch", maintain_order=True).agg(pl.col("value").mean())
    assert history["value"][-1] < history["value"][0]


def test_victims_of_unlike_sizes_are_refused(tiny_generative, quiet: Bars, tmp_path: Path) -> None:
    experiment = tiny_generative(tmp_path, dense=True)
    other = experiment.transfers["other"]
    larger = replace(other, scenes=replace(other.scenes, size=(24, 24)))
    with pytest.raises(ValueError, match=r"images of one size, got 3×16×24, 3×24×24"):
        open_generative_workshop(replace(experiment, transfers={"other": larger}), RunFiles(tmp_path / "x"), quiet)
