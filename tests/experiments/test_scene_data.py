"""The frames of a dense experiment: which are read, what is computed beyond them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.attacks import PGD
from manyheads.data import DataError, drawn_scenes
from manyheads.experiments import DenseExperiment, DenseTrial, Scenes
from manyheads.experiments.scene_data import open_scenes
from manyheads.tasks import PAPER_LETTERS, normals_of, occlusion_edges_of
from manyheads.threats import Linf

Make = Callable[..., DenseExperiment]
ALL = tuple(PAPER_LETTERS.values())
FILE = (8, 16)


def write(path: Path, numbers: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(numbers).save(path)


def noise(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """A folder that holds six frames of NYUv2, and two of its test frames."""
    for part, count in (("train", 6), ("val", 2)):
        for number in range(count):
            base = tmp_path / "nyuv2" / part
            write(base / "image" / f"{number:04d}.jpg", noise(*FILE, 3, seed=number))
            write(base / "label40" / f"{number:04d}.png", np.full(FILE, number + 1, dtype=np.uint8))
            write(base / "depth" / f"{number:04d}.png", noise(*FILE, seed=number).astype(np.uint16) + 100)
    return tmp_path


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    """A folder that holds three frames of Cityscapes in two cities, and a validation frame."""
    for seed, (part, city) in enumerate((("train", "aachen"), ("train", "ulm"), ("train", "bonn"), ("val", "munster"))):
        name = f"{city}_000000_000019"
        write(tmp_path / "leftImg8bit" / part / city / f"{name}_leftImg8bit.png", noise(*FILE, 3, seed=seed))
        write(tmp_path / "gtFine" / part / city / f"{name}_gtFine_labelIds.png", np.full(FILE, 7, dtype=np.uint8))
        disparity = np.full(FILE, 256 * 30 + 1, dtype=np.uint16)
        disparity[0, 0], disparity[0, 1] = 0, 1  # unknown, and infinitely far
        write(tmp_path / "disparity" / part / city / f"{name}_disparity.png", disparity)
    return tmp_path


@pytest.fixture
def buildings(tmp_path: Path) -> Path:
    """A folder that holds a frame of Taskonomy in each of three buildings, and their table."""
    for seed, building in enumerate(("ames", "bohn", "cole")):
        for kind, numbers in {
            "rgb": noise(*FILE, 3, seed=seed),
            "depth_zbuffer": np.full(FILE, 1024, dtype=np.uint16),
            "depth_euclidean": np.full(FILE, 1536, dtype=np.uint16),
            "normal": noise(*FILE, 3, seed=seed),
        }.items():
            write(tmp_path / kind / building / f"point_0_view_0_domain_{kind}.png", numbers)
    rows = ["id,train,val,test", "ames,1,0,0", "bohn,0,1,0", "cole,0,0,1"]
    (tmp_path / "train_val_test_tiny.csv").write_text("\n".join(rows))
    return tmp_path


def opened(make: Make, name: str, root: Path | None, **changes: object):
    scenes = Scenes(name, size=FILE, validation_share=0.34)
    return open_scenes(make(Path("runs"), scenes=scenes, data_root=root, vulnerability=None, **changes))


def first(source) -> dict[str, torch.Tensor]:
    return source.fetch(torch.tensor([0]))


def test_drawn_scenes_have_the_annotations_of_the_tasks_alone(tiny_dense: Make) -> None:
    splits = open_scenes(tiny_dense(Path("runs"), tasks=("normals", "depth", "autoencoding"), vulnerability=None))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [8, 4, 4]
    assert first(splits.train).keys() == {"image", "label", "index", "normal", "depth"}


def test_drawn_scenes_are_the_same_for_every_seed_and_different_in_every_split(tiny_dense: Make) -> None:
    one, other = (open_scenes(tiny_dense(Path("runs"), seed=seed)) for seed in (0, 1))
    assert torch.equal(first(one.train)["image"], first(other.train)["image"])
    images = [first(part)["image"] for part in (one.train, one.validation, one.test)]
    assert not torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])
    assert not torch.equal(images[1], images[2])


def test_nyuv2_is_given_all_that_its_depth_and_image_determine(tiny_dense: Make, rooms: Path) -> None:
    splits = opened(tiny_dense, "nyuv2", rooms, tasks=ALL)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [4, 2, 2]
    assert splits.test.in_memory
    batch = first(splits.test)
    expected = normals_of(batch["depth"], intrinsics=batch["intrinsics"])
    assert torch.equal(batch["normal"].nan_to_num(9), expected.nan_to_num(9))
    edges = occlusion_edges_of(batch["depth"])
    assert torch.equal(batch["occlusion_edges"].nan_to_num(9), edges.nan_to_num(9))
    assert batch.keys() >= {"euclidean_depth", "reshading", "curvature", "texture_edges", "keypoints2d", "keypoints3d"}
    assert len(splits.train.class_names) == 13


def test_nyuv2_is_given_nothing_that_no_task_asks_for(tiny_dense: Make, rooms: Path) -> None:
    splits = opened(tiny_dense, "nyuv2", rooms)
    assert first(splits.train).keys() == {"image", "label", "index", "segmentation", "depth", "intrinsics"}


def test_fewer_frames_and_other_classes_can_be_asked_for(tiny_dense: Make, rooms: Path) -> None:
    scenes = Scenes(
        "nyuv2", root=rooms, size=FILE, classes=40, train_examples=3, test_examples=1, validation_share=0.34
    )
    splits = open_scenes(tiny_dense(Path("runs"), scenes=scenes))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [3, 2, 1]
    assert len(splits.train.class_names) == 40


def test_the_depth_of_cityscapes_is_its_known_disparity(tiny_dense: Make, streets: Path) -> None:
    tasks = ("segmentation", "depth", "texture_edges", "autoencoding")
    splits = opened(tiny_dense, "cityscapes", streets, tasks=tasks)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [2, 1, 1]
    depth = first(splits.test)["depth"][0, 0]
    assert depth[0, :2].isnan().all()
    assert depth[1:].unique().tolist() == [30.0]
    assert first(splits.test)["texture_edges"].shape == (1, 1, *FILE)


def test_cityscapes_has_no_normals(tiny_dense: Make, streets: Path) -> None:
    with pytest.raises(ValueError, match="Cityscapes has no normal, occlusion_edges; choose tasks among segmentation"):
        opened(tiny_dense, "cityscapes", streets, tasks=("segmentation", "normals", "occlusion_edges"))


def test_taskonomy_is_split_by_the_table_beside_it(tiny_dense: Make, buildings: Path) -> None:
    splits = opened(tiny_dense, "taskonomy", buildings, tasks=("depth", "normals", "autoencoding"))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [1, 1, 1]
    batch = first(splits.train)
    assert batch["depth"].unique().tolist() == [2.0]
    assert batch["normal"].shape == (1, 3, *FILE)


@pytest.mark.parametrize("tables", [(), ("train_val_test_full.csv", "train_val_test_tiny.csv")])
def test_taskonomy_without_one_table_is_refused(tiny_dense: Make, tmp_path: Path, tables: tuple[str, ...]) -> None:
    for name in tables:
        (tmp_path / name).write_text(json.dumps(name))
    with pytest.raises(
        DataError, match=f"needs one of Taskonomy's official tables .*, and has {len(tables)}; put that"
    ):
        opened(tiny_dense, "taskonomy", tmp_path, tasks=("depth",))


@pytest.mark.parametrize("name", ["nyuv2", "cityscapes", "taskonomy"])
def test_a_set_in_a_folder_needs_one(tiny_dense: Make, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is read from a folder; say which with --data-root DIR"):
        opened(tiny_dense, name, None)


def test_drawn_scenes_need_no_folder(tiny_dense: Make, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"scenes are drawn, nothing is read from .*; leave --data-root out"):
        opened(tiny_dense, "drawn", tmp_path)


def test_classes_are_chosen_for_nyuv2_alone(tiny_dense: Make) -> None:
    one = tiny_dense(Path("runs"))
    with pytest.raises(ValueError, match=r"the classes of drawn are its own; leave --scenes\.classes out"):
        open_scenes(replace(one, scenes=replace(one.scenes, classes=13)))


@pytest.mark.real_data
def test_real_frames_come_with_eleven_annotations(real_data: Path) -> None:
    trial = DenseTrial(attack=PGD(1, 0.01), budget=Linf(0.01))
    scenes = Scenes("nyuv2", size=(48, 64), train_examples=4, test_examples=2)
    splits = open_scenes(DenseExperiment("x", scenes=scenes, tasks=ALL, data_root=real_data, trials={"pgd": trial}))
    batch = splits.train.fetch(torch.arange(4))
    drawn = drawn_scenes(examples=1, size=(48, 64)).fetch(torch.tensor([0]))
    assert {name: entry.shape[1:] for name, entry in batch.items()} == {
        name: entry.shape[1:] for name, entry in drawn.items()
    }
    assert all(batch[name].isfinite().float().mean() > 0.8 for name in batch)
