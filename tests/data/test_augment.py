"""Augmentations move every example by its own stream, and a mask with its image."""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from manyheads.data import Augmentation, Crop, Flip
from manyheads.randomness import Streams

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
BOTH = pytest.mark.parametrize("change", [Flip(), Crop(2), Crop(9)], ids=str)


def batch_of(count: int, *, seed: int = 0) -> dict[str, Tensor]:
    image = torch.rand(count, 3, 5, 7, generator=torch.Generator().manual_seed(seed))
    stream = Streams.of_examples(torch.arange(count), seed=seed, stage="test").seeds
    given = {"image": image, "stream": stream, "label": torch.arange(count)}
    return {name: value.to(DEVICE) for name, value in given.items()}


def test_half_of_the_images_are_mirrored_exactly() -> None:
    batch = batch_of(400)
    image = Flip()(batch)["image"]
    same = (image == batch["image"]).flatten(1).all(1)
    mirrored = (image == batch["image"].flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 160 < int(mirrored.sum()) < 240


def shifts(image: Tensor, *, moved: Tensor, padding: int) -> list[tuple[int, int]]:
    """All shifts that explain what became of an image."""
    height, width = image.shape[1:]
    padded = torch.nn.functional.pad(image, (padding,) * 4)
    places = [(top, left) for top in range(2 * padding + 1) for left in range(2 * padding + 1)]
    return [at for at in places if torch.equal(padded[:, at[0] : at[0] + height, at[1] : at[1] + width], moved)]


def test_images_are_shifted_by_every_amount_up_to_the_padding() -> None:
    batch = batch_of(200)
    moved = Crop(1)(batch)["image"]
    found = [shifts(image, moved=after, padding=1) for image, after in zip(batch["image"], moved, strict=True)]
    assert all(len(places) == 1 for places in found)
    assert {places[0] for places in found} == {(top, left) for top in range(3) for left in range(3)}


@BOTH
def test_a_mask_moves_with_its_image(change: Augmentation) -> None:
    batch = batch_of(20)
    batch["depth"] = batch["image"][:, :1] * 2
    batch["mask"] = (batch["image"][:, 0] * 100).long()
    moved = change(batch)
    assert torch.equal(moved["depth"], moved["image"][:, :1] * 2)
    assert torch.equal(moved["mask"], (moved["image"][:, 0] * 100).long())
    assert moved["mask"].dtype == torch.int64


@BOTH
def test_what_is_no_picture_stays(change: Augmentation) -> None:
    batch = batch_of(4) | {"grid": torch.rand(4, 7, 5, device=DEVICE), "pair": torch.rand(5, 7, device=DEVICE)}
    moved = change(batch)
    assert moved.keys() == batch.keys()
    assert all(torch.equal(moved[name], batch[name]) for name in ("label", "stream", "grid", "pair"))


@BOTH
@settings(max_examples=30)
@given(st.lists(st.integers(0, 29), min_size=1, max_size=8), st.integers(0, 99))
def test_an_example_moves_the_same_in_every_batch(change: Augmentation, rows: list[int], seed: int) -> None:
    batch = batch_of(30, seed=seed)
    few = {name: value[rows] for name, value in batch.items()}
    assert torch.equal(change(few)["image"], change(batch)["image"][rows])


@BOTH
def test_the_given_batch_is_left_alone(change: Augmentation) -> None:
    batch = batch_of(8)
    before = {name: value.clone() for name, value in batch.items()}
    change(batch)
    assert all(torch.equal(batch[name], value) for name, value in before.items())


def test_flips_and_crops_are_unrelated() -> None:
    batch = batch_of(300)
    mirrored = (Flip()(batch)["image"] != batch["image"]).flatten(1).any(1)
    rng = Streams(batch["stream"])
    first, second = rng.fork("flip").uniform(1)[:, 0], rng.fork("crop").uniform(2)[:, 0]
    assert torch.equal(mirrored, first < 0.5)
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.2


@pytest.mark.parametrize("padding", [0, -1])
def test_a_shift_of_nothing_is_refused(padding: int) -> None:
    with pytest.raises(ValueError, match=f"at least one pixel, got padding={padding}; leave it out instead"):
        Crop(padding)
