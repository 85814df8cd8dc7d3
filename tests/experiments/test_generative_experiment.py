from dataclasses import replace
from pathlib import Path

import pytest

from manyheads.experiments import differences, from_json, to_json
from manyheads.experiments.generative_experiment import GenerativeTraining, GeneratorArchitecture
from manyheads.threats import L2, Linf


@pytest.mark.parametrize("dense", [False, True])
def test_an_experiment_is_written_and_read_as_json(tiny_generative, tmp_path: Path, *, dense: bool) -> None:
    experiment = tiny_generative(tmp_path, dense=dense)
    text = to_json(experiment)
    assert '"kind": "generative"' in text
    assert from_json(text) == experiment


def test_tasks_are_the_victims_or_those_of_the_dense_one(tiny_generative, tmp_path: Path) -> None:
    assert tiny_generative(tmp_path).tasks == ("first", "second")
    assert tiny_generative(tmp_path, dense=True).tasks == ("segmentation", "depth", "normals")


def test_victims_run_in_the_same_folder_on_the_same_data(tiny_generative, tmp_path: Path) -> None:
    experiment = tiny_generative(tmp_path / "kept", data_root=tmp_path / "data", workers=2)
    for name, victim in experiment.victim_runs.items():
        assert victim.run == tmp_path / "kept" / "victims" / name
        assert (victim.data_root, victim.workers) == (tmp_path / "data", 2)
    assert set(tiny_generative(tmp_path, dense=True).victim_runs) == {"rooms", "other"}
    assert tiny_generative(tmp_path).victim_runs["first"].data_root is None


def test_where_victims_lie_decides_nothing(tiny_generative, tmp_path: Path) -> None:
    one = tiny_generative(tmp_path)
    moved = {name: replace(victim, folder=tmp_path / "x", batch_size=3) for name, victim in one.victims.items()}
    assert differences(one, replace(one, victims=moved, folder=tmp_path / "y", batch_size=2)) == ()
    other = {**one.victims, "first": replace(one.victims["first"], seed=9)}
    assert differences(one, replace(one, victims=other)) == ("victims.first.seed: 0, not 9",)
    batches = replace(one.victims["first"], training=replace(one.victims["first"].training, batch_size=7))
    assert differences(one, replace(one, victims={**one.victims, "first": batches}))


def refused(made, folder: Path, said: str, **changes: object) -> None:
    with pytest.raises(ValueError, match=said):
        made(folder, **changes)


@pytest.mark.parametrize("name", ["", "/absolute", "../up"])
def test_a_name_that_is_no_folder_inside_is_refused(tiny_generative, tmp_path: Path, name: str) -> None:
    refused(tiny_generative, tmp_path, "a run's name is a folder inside", name=name)


def test_victims_that_no_generator_attacks_together_are_refused(tiny_generative, tmp_path: Path) -> None:
    refused(tiny_generative, tmp_path, "one or more classifiers, or one dense model; got no victim", victims={})
    rooms = tiny_generative(tmp_path, dense=True).victims
    both = {**tiny_generative(tmp_path).victims, **rooms}
    refused(tiny_generative, tmp_path, "got first, second, rooms", victims=both)


def test_runs_that_share_a_folder_are_refused(tiny_generative, tmp_path: Path) -> None:
    first = tiny_generative(tmp_path).victims["first"]
    refused(tiny_generative, tmp_path, "each run needs a folder of its own", victims={"a": first, "b": first})


def test_a_target_of_dense_tasks_is_refused(tiny_generative, tmp_path: Path) -> None:
    refused(tiny_generative, tmp_path, "dense tasks have no class to be taken for", dense=True, target="bed")


def test_transfers_that_lack_a_task_are_refused(tiny_generative, tmp_path: Path) -> None:
    rooms = tiny_generative(tmp_path, dense=True).victims["rooms"]
    lacking = {"other": replace(rooms, name="other", tasks=("segmentation",))}
    refused(tiny_generative, tmp_path, "'other' lacks depth, normals", dense=True, transfers=lacking)
    same = {"rooms": replace(rooms, name="x")}
    refused(tiny_generative, tmp_path, "'rooms' lacks a name of its own", dense=True, transfers=same)
    refused(tiny_generative, tmp_path, "leave other out", transfers={"other": rooms})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"examples": 0}, "examples=0"),
        ({"reference_examples": 0}, "reference_examples=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"training": GenerativeTraining(epochs=0)}, "training.epochs=0"),
        ({"training": GenerativeTraining(batch_size=0)}, "training.batch_size=0"),
        ({"generator": GeneratorArchitecture(width=0)}, "generator.width=0"),
        ({"budget": Linf(0.0)}, "a finite size above zero"),
        ({"budget": L2(float("inf"))}, "a finite size above zero"),
    ],
)
def test_counts_and_sizes_of_nothing_are_refused(tiny_generative, tmp_path: Path, changes: dict, said: str) -> None:
    refused(tiny_generative, tmp_path, said, **changes)


@pytest.mark.parametrize("name", ["mta", "clean"])
def test_a_reference_that_is_called_like_other_results_is_refused(tiny_generative, tmp_path: Path, name: str) -> None:
    step = tiny_generative(tmp_path).references["noise"]
    refused(tiny_generative, tmp_path, f"a reference cannot be called {name}", references={name: step})
