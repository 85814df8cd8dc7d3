"""Image files are decoded exactly, refused when they are damaged, and decoded once where there is a cache."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manyheads.data import DataError, Listing, Streamed, load
from manyheads.data.files import decode, images_in

Paint = Callable[..., np.ndarray]
ROWS = torch.tensor([2, 0])


@pytest.fixture
def listing(tmp_path: Path, paint: Paint) -> Listing:
    paths = [tmp_path / "images" / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        paint(path, seed=number)
    return Listing(paths, [0, 1, 1], ("cat", "dog"), "example.org", groups=[5, 5, 6])


@pytest.mark.parametrize("name", ["image.png", "image.ppm", "image.bmp"])
def test_an_image_of_the_right_size_keeps_its_pixels(tmp_path: Path, paint: Paint, name: str) -> None:
    pixels = paint(tmp_path / name)
    image = decode(tmp_path / name, size=8)
    assert image.dtype == torch.uint8
    assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels)


def test_another_size_is_resized_smoothly(tmp_path: Path) -> None:
    stripes = np.zeros((16, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    image = decode(tmp_path / "stripes.png", size=8)
    assert image.shape == (3, 8, 8)
    assert ((image.int() - 100).abs() <= 5).all()


def test_grey_images_get_three_equal_channels(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(decode(tmp_path / "grey.png", size=8).numpy(), np.stack([grey] * 3))


def test_transparency_is_dropped(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "image.png")
    opaque = Image.open(tmp_path / "image.png")
    clear = opaque.copy()
    clear.putalpha(7)
    clear.save(tmp_path / "clear.png")
    opaque.convert("P").save(tmp_path / "palette.png")
    opaque.convert("P").save(tmp_path / "clear palette.png", transparency=bytes(range(200)))
    assert torch.equal(decode(tmp_path / "clear.png", size=8), decode(tmp_path / "image.png", size=8))
    assert torch.equal(decode(tmp_path / "clear palette.png", size=8), decode(tmp_path / "palette.png", size=8))


@pytest.mark.parametrize(("kind", "mode"), [(np.uint16, "I;16"), (np.float32, "F")])
def test_more_than_eight_bits_are_refused(tmp_path: Path, kind: type, mode: str) -> None:
    Image.fromarray(np.full((8, 8), 300, kind)).save(tmp_path / "deep.tiff")
    with pytest.raises(DataError, match=rf"deep.tiff: expected 8 bits per channel, found Pillow's mode '{mode}'"):
        decode(tmp_path / "deep.tiff", size=8)


@pytest.mark.parametrize("name", ["image.jpg", "image.png", "image.ppm", "image.bmp"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_image_is_refused(tmp_path: Path, paint: Paint, name: str, share: float) -> None:
    path = tmp_path / name
    paint(path, size=(40, 40))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=rf"{name}: expected an image, but it cannot be decoded"):
        decode(path, size=8)


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone.png: expected an image, found no such file"):
        decode(tmp_path / "gone.png", size=8)


def test_images_are_listed_by_name_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.JPEG", "a.png", "c.ppm", "notes.txt", "._a.png"):
        (tmp_path / name).touch()
    assert [path.name for path in images_in(tmp_path)] == ["a.png", "b.JPEG", "c.ppm"]
    assert images_in(tmp_path / "nowhere") == []


def test_streamed_files_are_decoded_when_fetched(listing: Listing) -> None:
    source = Streamed(listing, size=8)
    listing.paths[1].unlink()
    batch = source.fetch(ROWS)
    assert torch.equal(batch["image"], torch.stack([decode(listing.paths[row], size=8) for row in ROWS.tolist()]))
    assert batch["label"].tolist() == [1, 0]
    assert batch["index"].tolist() == [2, 0]
    assert source.image_shape == (3, 8, 8)
    assert source.class_names == ("cat", "dog")
    assert not source.in_memory


def test_streaming_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image file, got none"):
        Streamed(Listing([], [], ("cat",), "example.org"), size=8)


@pytest.mark.parametrize("place", [lambda _: None, lambda folder: folder / "cache"], ids=["memory", "memory map"])
def test_loaded_files_are_the_streamed_ones(
    listing: Listing, tmp_path: Path, place: Callable[[Path], Path | None]
) -> None:
    loaded = load(listing, size=6, cache=place(tmp_path))
    streamed = Streamed(listing, size=6).fetch(ROWS)
    assert all(torch.equal(value, streamed[name]) for name, value in loaded.fetch(ROWS).items())
    assert loaded.groups is not None
    assert loaded.groups.tolist() == [5, 5, 6]
    assert loaded.in_memory


def cached_files(cache: Path) -> list[Path]:
    return sorted(cache.iterdir())


def test_a_cached_listing_is_not_decoded_again(listing: Listing, tmp_path: Path) -> None:
    first = load(listing, size=8, cache=tmp_path / "cache")
    (file,) = cached_files(tmp_path / "cache")
    np.load(file, mmap_mode="r+")[0] = 77
    again = load(listing, size=8, cache=tmp_path / "cache")
    assert (again.images[0] == 77).all()
    assert torch.equal(again.images[1:], first.images[1:])


def test_whoever_writes_to_a_cached_image_leaves_the_cache_alone(listing: Listing, tmp_path: Path) -> None:
    before = load(listing, size=8, cache=tmp_path / "cache").images.clone()
    load(listing, size=8, cache=tmp_path / "cache").images.zero_()
    assert torch.equal(load(listing, size=8, cache=tmp_path / "cache").images, before)


def test_a_changed_file_is_decoded_again(listing: Listing, tmp_path: Path, paint: Paint) -> None:
    load(listing, size=8, cache=tmp_path / "cache")
    pixels = paint(listing.paths[1], seed=99)
    os.utime(listing.paths[1], ns=(1, 1))
    again = load(listing, size=8, cache=tmp_path / "cache")
    assert np.array_equal(again.images[1].permute(1, 2, 0).numpy(), pixels)


def test_another_size_or_order_is_another_entry_of_the_cache(listing: Listing, tmp_path: Path) -> None:
    turned = Listing(listing.paths[::-1], [0, 1, 1], ("cat", "dog"), "example.org")
    first = load(listing, size=8, cache=tmp_path / "cache")
    assert load(listing, size=4, cache=tmp_path / "cache").image_shape == (3, 4, 4)
    assert torch.equal(load(turned, size=8, cache=tmp_path / "cache").images, first.images.flip(0))
    assert len(cached_files(tmp_path / "cache")) == 3


def test_decoding_that_fails_leaves_nothing_in_the_cache(listing: Listing, tmp_path: Path) -> None:
    listing.paths[2].write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2.png: expected an image, but it cannot be decoded"):
        load(listing, size=8, cache=tmp_path / "cache")
    assert cached_files(tmp_path / "cache") == []


def test_a_missing_file_is_refused_with_its_origin(listing: Listing, tmp_path: Path) -> None:
    listing.paths[2].unlink()
    with pytest.raises(DataError, match=r"2.png: expected an image file, found no such file; get it from example.org"):
        load(listing, size=8, cache=tmp_path / "cache")


def test_a_damaged_copy_is_refused(listing: Listing, tmp_path: Path) -> None:
    load(listing, size=8, cache=tmp_path / "cache")
    (file,) = cached_files(tmp_path / "cache")
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"the decoded copy is damaged .* delete it, it is made anew"):
        load(listing, size=8, cache=tmp_path / "cache")
