"""A dense run from frames to scores, and what happens when it is stopped and begun again."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from manyheads.experiments import (
    Bars,
    DenseExperiment,
    Devices,
    Experiment,
    Outcome,
    RunFiles,
    differences,
    run,
    sweep,
    to_json,
)

Make = Callable[..., DenseExperiment]


def times(folder: Path) -> dict[str, int]:
    """When each file of a run was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copied(dense_outcome: Outcome, tmp_path: Path) -> Path:
    """A folder of runs with a copy of the finished one, which a test may change."""
    shutil.copytree(dense_outcome.files.folder, tmp_path / "tiny")
    return tmp_path


def test_a_run_leaves_all_its_files(dense_outcome: Outcome) -> None:
    trials = [
        f"{threat}--{trial}"
        for threat, trial in (
            ("single-task", "pgd-two--0.01569"),
            ("multi-task", "pgd-two--0.01569"),
            ("single-task", "fgsm--0.01569"),
            ("single-task", "pgd-two--0.003922"),
            ("multi-task", "pgd-two--0.003922"),
        )
    ]
    weights = ("last.safetensors", "best_robust.safetensors", "resume.pt")
    assert times(dense_outcome.files.folder).keys() == {
        *("experiment.json", "model.json", "history.parquet", "scores.parquet", "vulnerability.parquet"),
        *(f"weights/{name}" for name in weights),
        *(f"facts/{name}.parquet" for name in trials),
        *(f"gallery/{name}.safetensors" for name in trials),
    }


def test_scores_hold_every_task_under_every_attack(dense_outcome: Outcome) -> None:
    scores = dense_outcome.scores
    assert scores["model"].unique().to_list() == ["s d A"]
    assert set(scores["threat"]) == {"single-task", "multi-task"}
    assert set(scores["attack"]) == {"pgd two", "fgsm"}
    assert {*zip(scores["task"], scores["score"], strict=True)} >= {
        ("segmentation", "miou"),
        ("depth", "absolute_error"),
        ("autoencoding", "l1"),
    }
    assert set(scores.filter(attack="fgsm")["n"]) == {4}
    assert set(scores.filter(attack="pgd two")["n"]) == {3}
    assert scores["value"].null_count() == 0


def test_the_attacks_harm_what_they_raise(dense_outcome: Outcome) -> None:
    facts = dense_outcome.facts.table
    assert len(facts) == 4 + 4 * 3
    assert (facts["loss_attacked"] >= facts["loss_clean"]).all()
    assert (facts["loss_attacked"] > facts["loss_clean"]).any()
    assert (facts["size"] <= facts["eps"] + 1e-6).all()


def test_the_gallery_shows_frames_of_the_trial(dense_outcome: Outcome) -> None:
    kept = load_file(dense_outcome.files.gallery_of("multi-task", trial="pgd two", eps=4 / 255))
    assert kept["clean"].shape == (3, 3, 16, 24)
    assert kept["truth.segmentation"].shape == (3, 16, 24)
    assert 0 < float((kept["attacked"] - kept["clean"]).abs().max()) <= 4 / 255 + 1e-6


def test_vulnerability_is_measured_over_tasks_and_pixels(dense_outcome: Outcome) -> None:
    table = pl.read_parquet(dense_outcome.files.vulnerability)
    assert set(table["over"]) == {"tasks", "pixels", "pixel accuracy"}
    assert set(table.filter(over="tasks")["number"]) == {1, 2, 3}
    assert set(table.filter(over="pixels")["number"]) == {1, 4}
    assert set(table.filter(over="pixel accuracy")["attack"]) == {"clean", "fgsm"}


def test_a_finished_run_returns_without_doing_anything_again(copied: Path, quiet: Bars, tiny_dense: Make) -> None:
    before = times(copied)
    again = run(tiny_dense(copied), quiet)
    assert times(copied) == before
    assert again.scores.equals(pl.read_parquet(copied / "tiny" / "scores.parquet"))


@pytest.mark.parametrize(
    "lost",
    [
        ("facts/multi-task--pgd-two--0.01569.parquet",),
        ("scores.parquet",),
        ("vulnerability.parquet",),
        ("facts/single-task--fgsm--0.01569.parquet", "weights/resume.pt"),
    ],
    ids=lambda lost: lost[-1],
)
def test_a_run_that_was_killed_goes_on_to_the_same_results(
    copied: Path, quiet: Bars, tiny_dense: Make, dense_outcome: Outcome, lost: tuple[str, ...]
) -> None:
    folder = copied / "tiny"
    for name in lost:
        (folder / name).unlink()
    before = times(folder)
    again = run(tiny_dense(copied), quiet)
    assert again.scores.equals(dense_outcome.scores)
    after = times(folder)
    assert after.keys() == before.keys() | set(lost)
    touched = {name for name in before if before[name] != after[name]}
    assert {name.split("/")[0] for name in touched} <= {name.split("/")[0] for name in lost if "weights" in name}
    best = "weights/best_robust.safetensors"
    one, other = load_file(folder / best), load_file(dense_outcome.files.folder / best)
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_folder_with_another_experiment_is_left_alone(copied: Path, quiet: Bars, tiny_dense: Make) -> None:
    before = times(copied)
    with pytest.raises(ValueError, match=r"holds another experiment \(seed: 0, not 7\)"):
        run(tiny_dense(copied, seed=7), quiet)
    assert times(copied) == before


def test_what_cannot_be_carried_out_leaves_no_folder(tmp_path: Path, quiet: Bars, tiny_dense: Make) -> None:
    one = tiny_dense(tmp_path)
    with pytest.raises(ValueError, match="nyuv2 is read from a folder"):
        run(replace(one, scenes=replace(one.scenes, name="nyuv2")), quiet)
    assert list(tmp_path.iterdir()) == []


def test_neither_batch_size_nor_vulnerability_changes_a_score(
    tmp_path: Path, quiet: Bars, tiny_dense: Make, dense_outcome: Outcome
) -> None:
    other = run(tiny_dense(tmp_path, batch_size=4, vulnerability=None), quiet)
    values = [outcome.scores.drop("low", "high")["value"].to_numpy() for outcome in (other, dense_outcome)]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


def test_a_sweep_takes_both_kinds(
    copied: Path, outcome: Outcome, quiet: Bars, tiny: Callable[..., Experiment], tiny_dense: Make
) -> None:
    shutil.copytree(outcome.files.folder, copied / "classifier")
    classifier = tiny(copied, name="classifier")
    (copied / "classifier" / "experiment.json").write_text(to_json(classifier))
    files = sweep([classifier, tiny_dense(copied)], quiet)
    assert files == (RunFiles(copied / "classifier"), RunFiles(copied / "tiny"))
    assert files[0].read() == classifier
    assert differences(files[1].read(), tiny_dense(copied)) == ()


@pytest.mark.slow
def test_of_the_same_weights_one_process_has_the_facts_of_two(tiny_dense: Make, quiet: Bars, tmp_path: Path) -> None:
    two = run(tiny_dense(tmp_path / "two", fabric=Devices(2, accelerator="cpu")), quiet)
    shutil.copytree(two.files.folder, tmp_path / "one" / "tiny")
    shutil.rmtree(tmp_path / "one" / "tiny" / "facts")
    (tmp_path / "one" / "tiny" / "scores.parquet").unlink()
    one = run(tiny_dense(tmp_path / "one"), quiet)
    keys = ["model", "threat", "attack", "eps", "index"]
    numbers = pl.col("size", "loss_clean", "loss_attacked", "depth.attacked_loss")
    assert one.facts.table.select(keys).equals(two.facts.table.select(keys))
    first, second = (outcome.facts.table.select(numbers).to_torch() for outcome in (one, two))
    assert torch.allclose(first, second, atol=1e-4)
    assert one.scores["value"].to_list() == pytest.approx(two.scores["value"].to_list(), rel=1e-3, nan_ok=True)
