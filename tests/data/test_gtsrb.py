"""GTSRB in torchvision's layout: signs, tracks, the table of the test images; and the real set."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from manyheads.data import DataError, gtsrb, split
from manyheads.data.gtsrb import SIGNS

Paint = Callable[..., np.ndarray]
TABLE = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"


@pytest.fixture
def root(tmp_path: Path, paint: Paint) -> Path:
    training = tmp_path / "GTSRB" / "Training"
    for label in range(43):
        paint(training / f"{label:05d}" / "00000_00000.ppm", seed=label)
        (training / f"{label:05d}" / f"GT-{label:05d}.csv").touch()
    paint(training / "00007" / "00001_00000.ppm", seed=100)
    paint(training / "00007" / "00000_00029.ppm", seed=101, size=(20, 25))
    for number in range(3):
        paint(tmp_path / "GTSRB" / "Final_Test" / "Images" / f"{number:05d}.ppm", seed=200 + number)
    write_table(tmp_path, ["00002.ppm;8;8;1;1;7;7;42", "00000.ppm;8;8;1;1;7;7;0", "00001.ppm;8;8;1;1;7;7;14"])
    return tmp_path


def write_table(root: Path, rows: list[str], *, head: str = TABLE) -> None:
    (root / "GT-final_test.csv").write_text(head + "".join(f"{row}\n" for row in rows))


def test_training_images_are_labelled_by_their_folders(root: Path, paint: Paint) -> None:
    source = gtsrb(root, split="train", size=8)
    batch = source.fetch(torch.tensor([44, 7, 9]))
    assert source.labels.tolist() == [*range(7), 7, 7, 7, *range(8, 43)]
    assert batch["label"].tolist() == [42, 7, 7]
    assert np.array_equal(batch["image"][0].permute(1, 2, 0).numpy(), paint(root / "same.ppm", seed=42))
    assert np.array_equal(batch["image"][2].permute(1, 2, 0).numpy(), paint(root / "same.ppm", seed=100))
    assert source.class_names == SIGNS


def test_frames_of_a_track_are_a_group(root: Path) -> None:
    groups = gtsrb(root, split="train", size=8).groups
    assert groups is not None
    assert groups[7] == groups[8]
    assert groups.unique().numel() == len(groups) - 1


def test_test_images_are_labelled_by_the_table(root: Path, paint: Paint) -> None:
    source = gtsrb(root, split="test", size=8)
    assert source.labels.tolist() == [42, 0, 14]
    image = source.fetch(torch.tensor([0]))["image"][0]
    assert np.array_equal(image.permute(1, 2, 0).numpy(), paint(root / "same.ppm", seed=202))


def test_the_folder_above_is_found_and_a_cache_used(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above, cache = tmp_path_factory.mktemp("above"), tmp_path_factory.mktemp("cache")
    (above / "gtsrb").symlink_to(root)
    assert gtsrb(above, split="train", size=16, cache=cache).image_shape == (3, 16, 16)
    assert len(list(cache.iterdir())) == 1


def test_the_usual_size_is_32(root: Path) -> None:
    assert gtsrb(root, split="test").image_shape == (3, 32, 32)


def test_no_training_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Training: expected .*found no such folder; get it from benchmark.ini.rub.de"):
        gtsrb(tmp_path, split="train")


def test_a_sign_without_images_is_an_error(root: Path) -> None:
    (root / "GTSRB" / "Training" / "00014" / "00000_00000.ppm").unlink()
    with pytest.raises(DataError, match=r"00014: expected images of the sign 'Stop', found none"):
        gtsrb(root, split="train")


def test_a_folder_of_no_sign_is_an_error(root: Path) -> None:
    (root / "GTSRB" / "Training" / "00043").mkdir()
    with pytest.raises(DataError, match="expected folders 00000 to 00042, found also 00043"):
        gtsrb(root, split="train")


@pytest.mark.parametrize("name", ["stop.ppm", "00001.ppm", "1_2.ppm"])
def test_an_image_of_no_track_is_an_error(root: Path, paint: Paint, name: str) -> None:
    paint(root / "GTSRB" / "Training" / "00014" / name)
    with pytest.raises(DataError, match=rf"expected the name TRACK_FRAME.ppm, .*found {name}"):
        gtsrb(root, split="train")


def test_no_table_is_an_error(root: Path) -> None:
    (root / "GT-final_test.csv").unlink()
    with pytest.raises(DataError, match=r"GT-final_test.csv: expected the table .*found no such file"):
        gtsrb(root, split="test")


@pytest.mark.parametrize(
    ("head", "rows", "message"),
    [
        (TABLE, [], "the columns Filename and ClassId, found no rows"),
        ("Filename,ClassId\n", ["00000.ppm,1"], r"found the columns \['Filename,ClassId'\]"),
        (TABLE, ["00000.ppm;8;8;1;1;7;7;43"], "classes 0 to 42, found a class '43'"),
        (TABLE, ["00000.ppm;8;8;1;1;7;7"], "classes 0 to 42, found a class None"),
        (TABLE, ["00000.ppm;8;8;1;1;7;7;1.5"], "classes 0 to 42, found a class '1.5'"),
        (
            TABLE,
            [f"0000{n}.ppm;8;8;1;1;7;7;1" for n in (0, 1, 2, 2)],
            "the 4 images .* found 3 images, 0 of them not in",
        ),
        (TABLE, ["00000.ppm;8;8;1;1;7;7;1"], "the 1 images of GT-final_test.csv, found 3 images, 2 of them not in"),
        (
            TABLE,
            [f"0000{number}.ppm;8;8;1;1;7;7;1" for number in range(4)],
            "the 4 images of GT-final_test.csv, found 3 images, 0 of them not in the table",
        ),
    ],
)
def test_a_table_of_another_form_is_an_error(root: Path, head: str, rows: list[str], message: str) -> None:
    write_table(root, rows, head=head)
    with pytest.raises(DataError, match=message):
        gtsrb(root, split="test")


@pytest.mark.parametrize("content", [b"\x80\x02", b"Filename;ClassId\n" + b"0" * 200_000])
def test_a_table_that_is_none_is_an_error(root: Path, content: bytes) -> None:
    (root / "GT-final_test.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"GT-final_test.csv: expected a table in text, found something else"):
        gtsrb(root, split="test")


def test_a_truncated_image_is_an_error(root: Path) -> None:
    (root / "GTSRB" / "Final_Test" / "Images" / "00001.ppm").write_bytes(b"P6 8 8 255\nfew")
    with pytest.raises(DataError, match=r"00001.ppm: expected an image, but it cannot be decoded"):
        gtsrb(root, split="test")


@pytest.mark.real_data
def test_the_real_training_tracks_stay_together(real_data: Path, tmp_path: Path) -> None:
    source = gtsrb(real_data / "gtsrb", split="train", cache=tmp_path)
    assert len(source) == 7842
    assert source.groups is not None
    assert source.groups.unique(return_counts=True)[1].unique().tolist() == [6]
    rest, held_out = split(source, share=0.1, seed=0)
    assert rest.groups is not None
    assert held_out.groups is not None
    assert not set(rest.groups.tolist()) & set(held_out.groups.tolist())
    assert len(held_out) == 786


@pytest.mark.real_data
def test_the_real_test_images_are_those_of_the_table(real_data: Path) -> None:
    source = gtsrb(real_data, split="test")
    with (real_data / "gtsrb" / "GT-final_test.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert len(source) == len(rows) == 3170
    assert source.labels.tolist() == [int(row["ClassId"]) for row in rows]
    assert source.labels.unique().numel() == 43
