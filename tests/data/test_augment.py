"""Augmentations move every example by its own stream, and a mask with its image."""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from manyheads.data import Augmentation, Crop, Flip, Loader, RandomCrop, drawn_scenes
from manyheads.randomness import Streams

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
ALL = pytest.mark.parametrize("change", [Flip(), Crop(2), Crop(9), RandomCrop(4, 3), RandomCrop(5, 7)], ids=str)
UNKNOWN = -1


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


@ALL
def test_a_mask_moves_with_its_image(change: Augmentation) -> None:
    batch = batch_of(20)
    batch["depth"] = batch["image"][:, :1] * 2
    batch["mask"] = (batch["image"][:, 0] * 100).long()
    batch["flag"] = batch["image"][:, 0] > 0.5
    moved = change(batch)
    inside = (moved["image"] != 0).any(1)
    assert torch.equal(moved["depth"][:, 0].nan_to_num(-1), torch.where(inside, moved["image"][:, 0] * 2, -1))
    assert torch.equal(moved["mask"], torch.where(inside, (moved["image"][:, 0] * 100).long(), UNKNOWN))
    assert torch.equal(moved["flag"], moved["image"][:, 0] > 0.5)
    assert moved["mask"].dtype == torch.int64


@ALL
def test_what_is_no_picture_stays(change: Augmentation) -> None:
    batch = batch_of(4) | {"grid": torch.rand(4, 7, 5, device=DEVICE), "pair": torch.rand(5, 7, device=DEVICE)}
    moved = change(batch)
    assert moved.keys() == batch.keys()
    assert all(torch.equal(moved[name], batch[name]) for name in ("label", "stream", "grid", "pair"))


@ALL
@settings(max_examples=30)
@given(st.lists(st.integers(0, 29), min_size=1, max_size=8), st.integers(0, 99))
def test_an_example_moves_the_same_in_every_batch(change: Augmentation, rows: list[int], seed: int) -> None:
    batch = batch_of(30, seed=seed)
    few = {name: value[rows] for name, value in batch.items()}
    assert torch.equal(change(few)["image"], change(batch)["image"][rows])


@ALL
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


def test_a_window_can_be_anywhere() -> None:
    batch = batch_of(300)
    windows = RandomCrop(4, 6)(batch)["image"]
    found = [
        [
            (top, left)
            for top in range(2)
            for left in range(2)
            if torch.equal(image[:, top : top + 4, left : left + 6], cut)
        ]
        for image, cut in zip(batch["image"], windows, strict=True)
    ]
    assert all(len(places) == 1 for places in found)
    assert {places[0] for places in found} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize(("height", "width"), [(0, 4), (4, -1)])
def test_an_empty_window_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"a window has at least one pixel, got {height}×{width}"):
        RandomCrop(height, width)


@pytest.mark.parametrize(("height", "width"), [(6, 7), (5, 8)])
def test_a_window_larger_than_the_picture_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"a window of {height}×{width} does not fit into 5×7 pixels"):
        RandomCrop(height, width)(batch_of(2))


@pytest.mark.parametrize("change", [Flip(), Crop(1)], ids=str)
def test_annotations_without_a_number_for_unknown_are_refused(change: Augmentation) -> None:
    batch = batch_of(2) | {"mask": torch.zeros(2, 5, 7, dtype=torch.uint8, device=DEVICE)}
    with pytest.raises(ValueError, match=r"'mask' is torch\.uint8, which has no -1 for unknown pixels; make it int64"):
        change(batch)


def rays_of(batch: dict[str, Tensor]) -> Tensor:
    """What each pixel's line of sight is, one metre forward, by the batch's own cameras."""
    height, width = batch["image"].shape[-2:]
    fx, fy, cx, cy = (part[:, None, None] for part in batch["intrinsics"].T)
    row, column = (torch.arange(count, device=DEVICE) for count in (height, width))
    across, down = (column[None, None] - cx) / fx, (row[None, :, None] - cy) / fy
    ahead = torch.ones(len(fx), height, width, device=DEVICE)
    return torch.stack([across.expand_as(ahead), down.expand_as(ahead), ahead], dim=1)


@pytest.mark.parametrize("change", [Flip(), Crop(5), RandomCrop(12, 9)], ids=str)
def test_geometry_stays_true(change: Augmentation) -> None:
    frames = drawn_scenes(examples=16, size=(16, 20))
    plain = next(iter(Loader(frames, batch_size=16)))
    moved = change({name: value.to(DEVICE) for name, value in plain.items()})
    rays = rays_of(moved)
    known = ~moved["depth"].isnan()
    distance = (moved["depth"] * rays.norm(dim=1, keepdim=True))[known]
    assert not torch.equal(moved["intrinsics"], plain["intrinsics"].to(DEVICE))
    assert torch.allclose(distance, moved["euclidean_depth"][known], atol=1e-4)
    facing = -(moved["normal"] * rays).sum(1, keepdim=True) / rays.norm(dim=1, keepdim=True)
    assert torch.allclose(facing[known], moved["reshading"][known], atol=1e-4)
    assert torch.equal(moved["segmentation"] == UNKNOWN, ~known[:, 0])
    assert torch.equal(moved["normal"].isnan().all(1), ~known[:, 0])


def test_a_mirrored_normal_looks_to_the_other_side() -> None:
    batch = batch_of(30) | {"normal": torch.tensor([0.6, 0.0, -0.8]).view(1, 3, 1, 1).expand(30, 3, 5, 7).to(DEVICE)}
    moved = Flip()(batch)
    mirrored = (moved["image"] != batch["image"]).flatten(1).any(1)
    assert 0 < int(mirrored.sum()) < 30
    assert torch.equal(moved["normal"][:, 0, 0, 0] < 0, mirrored)
    assert torch.equal(moved["normal"][:, 1:], batch["normal"][:, 1:])
