"""Taskonomy in its layouts: buildings, points, views, splits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import DataError, Loader, Source, split_buildings, taskonomy
from manyheads.data.taskonomy import INDOOR_CLASSES

Paint = Callable[..., np.ndarray]
SIZE = (8, 8)
VIEWS = (("allensville", 2, 0), ("allensville", 10, 0), ("allensville", 2, 1), ("beechwood", 0, 0))
KINDS = {
    "depth_zbuffer": np.uint16,
    "depth_euclidean": np.uint16,
    "edge_texture": np.uint16,
    "edge_occlusion": np.uint16,
    "keypoints2d": np.uint16,
    "keypoints3d": np.uint16,
    "segment_semantic": np.uint8,
}
COLOURED = ("normal", "principal_curvature", "reshading")
ALL = (
    "segmentation",
    "depth",
    "euclidean_depth",
    "normal",
    "texture_edges",
    "occlusion_edges",
    "keypoints2d",
    "keypoints3d",
    "curvature",
    "reshading",
)


def name_of(kind: str, point: int, view: int) -> str:
    return f"point_{point}_view_{view}_domain_{kind.replace('segment_semantic', 'segmentsemantic')}.png"


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    for seed, (building, point, view) in enumerate(VIEWS):
        for kind in ("rgb", *COLOURED):
            paint(tmp_path / kind / building / name_of(kind, point, view), seed=seed)
        for kind, width in KINDS.items():
            path = tmp_path / kind / building / name_of(kind, point, view)
            path.parent.mkdir(parents=True, exist_ok=True)
            numbers = np.full(SIZE, 512 if kind.startswith("depth") else 5, dtype=width)
            numbers[0, 0] = 65535 if kind == "depth_euclidean" else 0
            Image.fromarray(numbers).save(path)
    return tmp_path


def read(root: Path, *annotations: str, buildings: tuple[str, ...] = ("allensville", "beechwood")) -> Source:
    return taskonomy(root, buildings=buildings, annotations=annotations, size=SIZE)  # pyright: ignore[reportArgumentType]


def test_frames_come_by_building_point_and_view(root: Path, paint: Paint) -> None:
    source = read(root)
    images = source.fetch(torch.arange(4))["image"].permute(0, 2, 3, 1).numpy()
    expected = [paint(root / "same.png", seed=seed) for seed in (0, 2, 1, 3)]
    assert all(np.array_equal(image, pixels) for image, pixels in zip(images, expected, strict=True))
    assert source.groups is not None
    assert source.groups.tolist() == [0, 0, 0, 1]
    assert source.class_names == INDOOR_CLASSES
    assert len(INDOOR_CLASSES) == 17


def test_every_annotation_has_its_shape(root: Path) -> None:
    batch = next(iter(Loader(read(root, *ALL), batch_size=2)))
    shapes = {name: tuple(batch[name].shape[1:]) for name in ALL}
    one = dict.fromkeys(ALL, (1, *SIZE))
    assert shapes == one | {"segmentation": SIZE, "normal": (3, *SIZE), "curvature": (2, *SIZE)}


def test_only_what_is_asked_for_is_read(root: Path) -> None:
    for kind in (*KINDS, *COLOURED):
        (root / kind).rename(root / f"no {kind}")
    (root / "no depth_zbuffer").rename(root / "depth_zbuffer")
    assert read(root, "depth").fetch(torch.tensor([0])).keys() == {"image", "label", "index", "depth"}


@pytest.mark.parametrize("name", ["normal", "curvature", "reshading", "occlusion_edges", "keypoints3d"])
def test_what_has_a_shape_is_unknown_where_nothing_was_scanned(root: Path, name: str) -> None:
    entry = read(root, name).fetch(torch.tensor([0]))[name][0]
    assert entry[:, 0, 0].isnan().all()
    assert int(entry.isnan().any(0).sum()) <= 3  # a random colour may be too short for a normal


@pytest.mark.parametrize("name", ["texture_edges", "keypoints2d"])
def test_what_is_seen_in_the_image_is_known_everywhere(root: Path, name: str) -> None:
    assert read(root, name).fetch(torch.tensor([0]))[name].isfinite().all()


def test_the_other_depth_is_the_mask_where_only_that_is_there(root: Path) -> None:
    (root / "depth_euclidean").rename(root / "elsewhere")
    path = root / "depth_zbuffer" / "beechwood" / name_of("depth_zbuffer", 0, 0)
    Image.fromarray(np.full(SIZE, 65535, dtype=np.uint16)).save(path)
    reshading = read(root, "reshading").fetch(torch.tensor([0, 3]))["reshading"]
    assert reshading[1].isnan().all()
    assert int(reshading[0].isnan().sum()) == 1


def test_without_any_depth_there_is_no_mask(root: Path) -> None:
    (root / "depth_euclidean").rename(root / "elsewhere")
    (root / "depth_zbuffer").rename(root / "nowhere")
    with pytest.raises(DataError, match=r"depth_euclidean.*: expected a file for each of 3 images, found none for 3"):
        read(root, "normal")


@pytest.mark.parametrize("layout", ["{kind}/taskonomy/{building}", "{building}/{kind}"])
def test_other_layouts_are_read_alike(root: Path, tmp_path_factory: pytest.TempPathFactory, layout: str) -> None:
    other = tmp_path_factory.mktemp("other") / "taskonomy"
    for kind in ("rgb", "depth_zbuffer"):
        for building in ("allensville", "beechwood"):
            folder = other / layout.format(kind=kind, building=building)
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.symlink_to(root / kind / building)
    found, expected = (read(base, "depth").fetch(torch.arange(4)) for base in (other.parent, root))
    assert torch.equal(found["image"], expected["image"])
    assert torch.equal(found["depth"].nan_to_num(), expected["depth"].nan_to_num())


def test_frames_are_resized(root: Path) -> None:
    batch = taskonomy(root, buildings=["beechwood"], annotations=["depth", "keypoints2d"], size=(4, 2)).fetch(
        torch.tensor([0])
    )
    assert batch["image"].shape == (1, 3, 4, 2)
    assert batch["depth"].shape == batch["keypoints2d"].shape == (1, 1, 4, 2)


def test_a_building_that_is_not_there_is_an_error(root: Path) -> None:
    with pytest.raises(
        DataError, match=r"rgb.*castle: expected images point_P_view_V_domain_rgb.png, found no such folder"
    ):
        read(root, buildings=("allensville", "castle"))


def test_a_building_without_images_is_an_error(root: Path) -> None:
    (root / "rgb" / "castle").mkdir()
    (root / "rgb" / "castle" / "notes.txt").touch()
    with pytest.raises(DataError, match=r"castle: expected images .*, found none; get it from github.com/StanfordVL"):
        read(root, buildings=("castle",))


def test_a_missing_annotation_is_an_error(root: Path) -> None:
    (root / "normal" / "allensville" / name_of("normal", 10, 0)).unlink()
    with pytest.raises(DataError, match="a file for each of 3 images, found none for 1, such as point 10, view 0"):
        read(root, "normal")


def test_no_building_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match="at least one building is needed, got none"):
        read(root, buildings=())


TABLE = "id,train,val,test\nallensville,1,0,0\nbeechwood,0,1,0\ncastle,1,0,0\n"


def test_splits_are_read_from_the_official_tables(tmp_path: Path) -> None:
    table = tmp_path / "train_val_test_tiny.csv"
    table.write_text(TABLE)
    assert split_buildings(table, split="train") == ("allensville", "castle")
    assert split_buildings(table, split="val") == ("beechwood",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TABLE,
            "expected the columns id and test, and rows with 1 there, found the columns id, train, val, test, and no",
        ),
        ("", "found no rows"),
        ("building;train\na;1\n", "found the columns building;train, and no such row"),
    ],
)
def test_tables_without_the_split_are_an_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "table.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        split_buildings(tmp_path / "table.csv", split="test")


def test_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table.csv: expected a table of splits, found no such file"):
        split_buildings(tmp_path / "table.csv", split="test")


@pytest.mark.parametrize("content", [b"\x80\x02", b"id,test\n" + b"0" * 200_000])
def test_a_table_that_is_none_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(DataError, match="expected a table in text, found something else"):
        split_buildings(tmp_path / "table.csv", split="test")
