from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import save_file

from manyheads.experiments import DenseRecord, RunFiles
from manyheads.studies.guo2020_measured import Found
from manyheads.studies.guo2020_pictures import perturbed_objects, perturbed_rooms
from manyheads.studies.guo2020_settings import GeneratorRuns, settings
from manyheads.studies.guo2020_wishes import Wish

NAMES = ("bag", "bike_helmet", "mug")


@pytest.fixture
def measured(tmp_path: Path) -> Found:
    runs = GeneratorRuns(study="s", settings=settings("quick"), data_root=tmp_path, folder=tmp_path)
    return Found(runs, (3,), pl.DataFrame())


def keep_gallery(measured: Found, wish: Wish, *, task: str, victim: str, tensors: dict[str, torch.Tensor]) -> None:
    """Write the gallery of one generator as a run would."""
    experiment = measured.runs.experiment(wish, seed=3)
    files = RunFiles(experiment.run)
    path = files.gallery_of(f"{task}-on-{victim}", trial=wish.method, eps=experiment.budget.eps)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    files.model.write_text(DenseRecord(NAMES, (3, 8, 8), 1, {"a": 1}).to_json(), encoding="utf-8")


def images(count: int, *, shift: float) -> dict[str, torch.Tensor]:
    clean = torch.full((count, 3, 8, 8), 0.5)
    return {"clean": clean, "attacked": clean + shift}


def test_what_was_right_before_is_shown_with_what_is_said_now(measured: Found) -> None:
    answers = {
        "truth.object": torch.tensor([0, 2]),
        "clean.object": torch.tensor([1, 2]),
        "attacked.object": torch.tensor([0, 1]),
    }
    for method in ("gap", "mta"):
        wish = Wish("office31", "universal", method, level=5, goal="targeted")
        for domain in ("amazon", "dslr", "webcam"):
            shown = {**images(2, shift=0.02), **answers}
            keep_gallery(measured, wish, task=domain, victim=domain, tensors=shown)
    picture = perturbed_objects(measured, kind="universal", goal="targeted")
    assert picture is not None
    svg = picture.svg.decode()
    for said in ("bike helmet", "mug", "× 20", "with MTA", "webcam"):
        assert said in svg, said
    assert "bag" not in svg
    assert "Universal perturbations, targeted" in picture.says


def test_rooms_are_shown_task_by_task(measured: Found) -> None:
    maps = {
        "segmentation": torch.zeros(1, 8, 8, dtype=torch.int64),
        "depth": torch.rand(1, 1, 8, 8),
        "normals": torch.rand(1, 3, 8, 8),
    }
    for kind in ("universal", "per_instance"):
        for task, one in maps.items():
            answers = {f"{moment}.{task}": one.clone() for moment in ("truth", "clean", "attacked")}
            wish = Wish("nyuv2", kind, "mta", level=5)
            keep_gallery(measured, wish, task=task, victim="dmtl", tensors={**images(1, shift=0.01), **answers})
    picture = perturbed_rooms(measured, level=5)
    assert picture is not None
    svg = picture.svg.decode()
    assert svg.count("<image") == 6 * 6
    for said in ("segmentation", "per instance", "prediction after", "× 50"):
        assert said in svg, said


def test_without_galleries_there_is_no_picture(measured: Found) -> None:
    assert perturbed_objects(measured, kind="universal", goal="targeted") is None
    assert perturbed_rooms(measured, level=5) is None
