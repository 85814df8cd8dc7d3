"""Files of frames: numbers stay what they are, pictures are resized, cameras with them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manyheads.data import DataError, Loader
from manyheads.data.files import decode
from manyheads.data.frame_files import (
    EIGHT_BITS,
    SIXTEEN_BITS,
    StreamedFrames,
    nearest,
    read_numbers,
    read_picture,
    resized_intrinsics,
    smooth,
)

Paint = Callable[..., np.ndarray]
ORIGIN = "somewhere"


def write(path: Path, numbers: np.ndarray) -> Path:
    Image.fromarray(numbers).save(path)
    return path


def test_frames_are_decoded_when_they_are_fetched() -> None:
    asked: list[int] = []

    def read(number: int) -> dict[str, torch.Tensor]:
        asked.append(number)
        return {"image": torch.full((3, 2, 4), number, dtype=torch.uint8), "depth": torch.full((1, 2, 4), number / 2)}

    source = StreamedFrames([10, 20, 30], read, class_names=("all",), size=(2, 4), groups=[0, 0, 7])
    batch = source.fetch(torch.tensor([2, 0]))
    assert asked == [30, 10]
    assert batch["image"][:, 0, 0, 0].tolist() == [30, 10]
    assert batch["depth"][:, 0, 0, 0].tolist() == [15, 5]
    assert (batch["index"].tolist(), batch["label"].tolist()) == ([2, 0], [0, 0])
    assert (len(source), source.image_shape, source.in_memory) == (3, (3, 2, 4), False)
    assert source.groups is not None
    assert source.groups.tolist() == [0, 0, 7]
    assert len(list(Loader(source, batch_size=2))) == 2


def test_no_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="a source needs at least one frame, got none"):
        StreamedFrames([], dict, class_names=("all",), size=(2, 2))


def test_a_picture_keeps_its_pixels_unless_resized(tmp_path: Path, paint: Paint) -> None:
    pixels = paint(tmp_path / "a.png", size=(6, 4))
    for size in (None, (4, 6)):
        picture = read_picture(tmp_path / "a.png", size=size)
        assert np.array_equal(picture.image.permute(1, 2, 0).numpy(), pixels)
        assert picture.file_size == (4, 6)


def test_a_picture_is_resized_as_images_are(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a.png", size=(12, 9))
    assert read_picture(tmp_path / "a.png", size=(5, 7)).image.shape == (3, 5, 7)
    assert read_picture(tmp_path / "a.png", size=(5, 7)).file_size == (9, 12)
    assert torch.equal(read_picture(tmp_path / "a.png", size=(5, 5)).image, decode(tmp_path / "a.png", size=5))


@pytest.mark.parametrize(
    ("kind", "modes", "highest"), [(np.uint8, EIGHT_BITS, 255), (np.uint16, SIXTEEN_BITS, 65535)], ids=["8", "16"]
)
def test_numbers_are_read_as_they_are(
    tmp_path: Path, kind: type[np.generic], modes: frozenset[str], highest: int
) -> None:
    numbers = np.array([[0, 1, 2], [highest, highest - 1, 7]], dtype=kind)
    found = read_numbers(write(tmp_path / "a.png", numbers), modes=modes, size=(2, 3), origin=ORIGIN)
    assert found.tolist() == numbers.tolist()


def test_of_a_palette_the_places_are_read(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[3, 1]], dtype=np.uint8))
    image.putpalette([200, 100, 50] * 4)
    image.save(tmp_path / "a.png")
    assert read_numbers(tmp_path / "a.png", modes=EIGHT_BITS, size=(1, 2), origin=ORIGIN).tolist() == [[3, 1]]


def test_missing_numbers_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.png: expected an image file, found no such file; get it from somewhere"):
        read_numbers(tmp_path / "a.png", modes=EIGHT_BITS, size=(1, 2), origin=ORIGIN)


def test_truncated_numbers_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"a.png: expected an image file, found one that cannot be decoded"):
        read_numbers(path, modes=EIGHT_BITS, size=(30, 30), origin=ORIGIN)


def test_colours_are_no_numbers(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"expected one number per pixel .Pillow's mode L or P., found mode 'RGB'"):
        read_numbers(tmp_path / "a.png", modes=EIGHT_BITS, size=(8, 8), origin=ORIGIN)


def test_numbers_of_another_size_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.zeros((2, 3), dtype=np.uint8))
    with pytest.raises(DataError, match="expected the size of its image, 3×2, found 2×3"):
        read_numbers(path, modes=EIGHT_BITS, size=(3, 2), origin=ORIGIN)


def test_the_nearest_pixel_is_the_one_at_the_centre() -> None:
    plane = torch.arange(36).view(1, 6, 6)
    assert torch.equal(nearest(plane, size=(2, 2)), plane[:, 1::3, 1::3])
    assert torch.equal(nearest(plane, size=(6, 6)), plane)
    assert torch.equal(nearest(plane, size=(12, 12))[:, 1::2, ::2], plane)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20), st.integers(1, 20))
def test_picking_adds_no_values(height: int, width: int, rows: int, columns: int) -> None:
    plane = torch.rand(height, width)
    picked = nearest(plane, size=(rows, columns))
    assert picked.shape == (rows, columns)
    assert torch.isin(picked, plane).all()


def test_smoothing_keeps_the_mean() -> None:
    heat = torch.zeros(1, 8, 8)
    heat[0, 3, 3] = 1
    assert float(smooth(heat, size=(4, 4)).mean()) == pytest.approx(1 / 64, rel=1e-3)
    assert torch.equal(smooth(heat, size=(8, 8)), heat)


@given(st.integers(1, 9), st.integers(1, 9), st.floats(-5, 5), st.floats(-5, 5))
def test_a_resized_camera_sees_the_same_directions(rows: int, columns: int, across: float, down: float) -> None:
    old, new = (6, 8), (rows, columns)
    fx, fy, cx, cy = resized_intrinsics((7.0, 6.0, 3.2, 2.9), old=old, new=new).tolist()
    # A place in the picture, as a share of its width and height, is in the same direction before and after.
    before = ((across + 0.5) / 8, (down + 0.5) / 6)
    after = (before[0] * columns - 0.5, before[1] * rows - 0.5)
    assert (after[0] - cx) / fx == pytest.approx((across - 3.2) / 7, abs=1e-5)
    assert (after[1] - cy) / fy == pytest.approx((down - 2.9) / 6, abs=1e-5)
