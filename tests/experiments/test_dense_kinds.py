"""What every experiment can do, by dense ones: be written, read, compared, claimed and overridden."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manyheads.attacks import FGSM, PGD, UnscaledMIM
from manyheads.experiments import (
    DenseExperiment,
    DenseHardening,
    DenseTrial,
    Experiment,
    Outcome,
    RunFiles,
    Scenes,
    Trial,
    VulnerabilityPlan,
    blanked,
    differences,
    exchange_all,
    from_json,
    hyphened,
    kinds,
    to_json,
)
from manyheads.threats import L2, Linf
from manyheads.training import SGD, StepDecay

Make = Callable[..., DenseExperiment]
ATTACKS = ("FGSM", "BIM", "PGD", "MIM", "UnscaledMIM")
CLASSIFIER = Experiment("one", trials={"fgsm": Trial(FGSM(), Linf(0.1))})


def test_a_dense_experiment_comes_back_from_json(tiny_dense: Make) -> None:
    one = tiny_dense(
        Path("runs"),
        scenes=Scenes("cityscapes", root=Path("streets"), size=(16, 24), crop=(8, 8), flip=True),
        weights={"segmentation": 1.0, "depth": 0.1, "autoencoding": 0.0},
        trials={"mim": DenseTrial(UnscaledMIM(3, 0.1), L2(0.5)), "pgd two": DenseTrial(PGD(), Linf(0.1))},
    )
    hardened = replace(one.training, hardening=DenseHardening(ramp=0.5), optimizer=SGD(0.1), schedule=StepDecay(3))
    one = replace(one, training=hardened)
    assert from_json(to_json(one)) == one
    assert differences(one, from_json(to_json(one))) == ()


def test_a_record_says_its_kind_unless_it_is_a_classifier_s(tiny_dense: Make) -> None:
    assert json.loads(to_json(tiny_dense(Path("runs"))))["kind"] == "dense"
    assert "kind" not in json.loads(to_json(CLASSIFIER))
    assert from_json(json.dumps({"kind": "classifier", **json.loads(to_json(CLASSIFIER))})) == CLASSIFIER


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="of a kind that is known here, classifier, dense, generative: 'sparse'"):
        from_json('{"kind": "sparse", "name": "x"}')


def test_differences_name_the_field_and_kinds_differ_as_a_whole(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    assert differences(one, replace(one, scenes=replace(one.scenes, size=(8, 8)))) == (
        "scenes.size: (16, 24), not (8, 8)",
    )
    assert differences(one, replace(one, folder=Path("there"), batch_size=7, workers=3)) == ()
    assert differences(one, CLASSIFIER) == ("kind: DenseExperiment, not Experiment",)


def test_the_order_of_tasks_is_a_difference(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    (found,) = differences(one, replace(one, tasks=("segmentation", "autoencoding", "depth")))
    assert found.startswith("tasks: ")


def test_a_run_says_which_kind_it_holds(dense_outcome: Outcome, outcome: Outcome) -> None:
    assert dense_outcome.files.read_as(DenseExperiment) == dense_outcome.files.read() == dense_outcome.experiment
    assert outcome.files.read_as(Experiment) == outcome.files.read() == outcome.experiment
    with pytest.raises(ValueError, match="holds a model of dense tasks; this needs the run of a classifier"):
        dense_outcome.files.read_as(Experiment)
    with pytest.raises(ValueError, match="holds a classifier; this needs the run of a model of dense tasks"):
        outcome.files.read_as(DenseExperiment)


def test_a_folder_of_the_other_kind_is_not_taken(tiny_dense: Make, tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    files.claim(CLASSIFIER)
    with pytest.raises(ValueError, match=r"holds another experiment \(kind: Experiment, not DenseExperiment\)"):
        files.claim(tiny_dense(tmp_path))


def test_dense_files_have_their_places() -> None:
    files = RunFiles(Path("a"))
    assert (files.model, files.vulnerability) == (Path("a/model.json"), Path("a/vulnerability.parquet"))


def test_parts_of_several_kinds_are_listed(tiny_dense: Make) -> None:
    found = kinds(tiny_dense(Path("runs"), trials={"x": DenseTrial(PGD(), Linf(0.1))}, sweep=(), sweep_trials=()))
    assert found["training.hardening"] == ("DenseHardening", "None")
    assert found["trials.x.attack"] == ATTACKS
    assert found["vulnerability"] == ("VulnerabilityPlan", "None")


def test_parts_are_exchanged_and_weights_begin_anew(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"), weights={"segmentation": 1.0, "depth": 0.1, "autoencoding": 0.1})
    words = ["--vulnerability", "None", "--training.hardening=DenseHardening", "--weights", "depth", "1"]
    changed, left = exchange_all(one, words)
    assert changed.vulnerability is None
    assert changed.training.hardening == DenseHardening()
    assert (changed.weights, left) == ({}, ["--weights", "depth", "1"])
    assert exchange_all(changed, ["--vulnerability", "VulnerabilityPlan"])[0].vulnerability == VulnerabilityPlan()


def test_hidden_tasks_are_no_part_of_a_dense_experiment(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    assert exchange_all(one, ["--hidden"]) == (one, ["--hidden"])


def test_trials_lose_their_blanks_and_get_them_back(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    spoken = hyphened(one)
    assert list(spoken.trials) == ["pgd-two", "fgsm"]
    assert spoken.sweep_trials == ("pgd-two",)
    assert blanked(replace(spoken, seed=5), one) == replace(one, seed=5)
    two = replace(CLASSIFIER, trials={"a b": Trial(PGD(), Linf(0.1))}, sweep=(0.2,), sweep_trial="a b")
    assert hyphened(two).sweep_trial == "a-b"
    assert blanked(hyphened(two), two) == two
