"""Loaders give every example once per epoch, the same for every batch size, number of workers and of processes."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from manyheads.data import Crop, DataError, Flip, InMemory, Listing, Loader, Place, Streamed, Subset
from manyheads.randomness import Streams

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
PLACE = Place(DEVICE)
Paint = Callable[..., np.ndarray]
few_processors = pytest.mark.filterwarnings("ignore:This DataLoader will create")


def source_of(count: int) -> InMemory:
    images = torch.randint(256, (count, 1, 3, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return InMemory(images, torch.arange(count) % 3, ("a", "b", "c"))


@pytest.fixture
def streamed(tmp_path: Path, paint: Paint) -> Streamed:
    paths = [tmp_path / f"{number}.png" for number in range(7)]
    for number, path in enumerate(paths):
        paint(path, seed=number)
    return Streamed(Listing(paths, [0, 1, 0, 1, 0, 1, 0], ("a", "b"), "example.org"), size=8)


def joined(loader: Loader) -> dict[str, Tensor]:
    """All batches of an epoch as one, sorted by index."""
    batches = list(loader)
    whole = {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}
    order = whole["index"].argsort()
    return {name: value[order] for name, value in whole.items()}


def order(loader: Loader) -> list[int]:
    return [index for batch in loader for index in batch["index"].tolist()]


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_pixels_become_floats_from_zero_to_one() -> None:
    images = torch.arange(256).to(torch.uint8).view(1, 1, 16, 16)
    (batch,) = Loader(InMemory(images, torch.tensor([0]), ("a",)), batch_size=1, place=PLACE)
    assert batch["image"].dtype == torch.float32
    assert (batch["image"].min(), batch["image"].max()) == (0, 1)
    assert torch.equal((batch["image"] * 255).round().to(torch.uint8).cpu(), images)
    assert {value.device.type for value in batch.values()} == {DEVICE.type}
    assert sorted(batch) == ["image", "index", "label", "stream"]


def test_without_shuffling_the_order_is_the_sources() -> None:
    source = Subset(source_of(9), torch.tensor([8, 1, 5]))
    loader = Loader(source, batch_size=2)
    assert order(loader) == [8, 1, 5]
    assert [batch["label"].tolist() for batch in loader] == [[2, 1], [2]]


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(1, 40), st.booleans())
def test_every_example_comes_once_and_the_last_batch_is_kept(count: int, size: int, shuffle: bool) -> None:  # noqa: FBT001
    loader = Loader(source_of(count), batch_size=size, shuffle=shuffle)
    sizes = [len(batch["label"]) for batch in loader]
    assert sorted(order(loader)) == list(range(count))
    assert len(loader) == len(sizes)
    assert sizes[:-1] == [size] * (len(sizes) - 1)


def test_an_epoch_has_its_own_order_and_seed_and_epoch_decide_it() -> None:
    loader = Loader(source_of(50), batch_size=8, seed=3, shuffle=True)
    orders = []
    for epoch in (0, 1, 0):
        loader.set_epoch(epoch)
        orders.append(order(loader))
    assert orders[0] != orders[1]
    assert orders[0] == orders[2] == order(Loader(source_of(50), batch_size=50, seed=3, shuffle=True))
    assert orders[0] != order(Loader(source_of(50), batch_size=8, seed=4, shuffle=True))


def test_the_epoch_is_that_of_the_start_of_an_iteration() -> None:
    loader = Loader(source_of(6), batch_size=2, shuffle=True, augment=[Flip()])
    whole = joined(loader)
    parts = []
    for batch in loader:
        loader.set_epoch(9)
        parts.append(batch)
    loader.set_epoch(0)
    stream = torch.cat([part["stream"] for part in parts])
    index = torch.cat([part["index"] for part in parts])
    assert torch.equal(stream[index.argsort()], whole["stream"])


@pytest.mark.parametrize("size", [1, 3, 20])
def test_an_example_is_the_same_in_every_batch(size: int) -> None:
    def epoch(batch_size: int) -> dict[str, Tensor]:
        loader = Loader(source_of(20), batch_size=batch_size, shuffle=True, augment=[Flip(), Crop(1)], place=PLACE)
        loader.set_epoch(5)
        return joined(loader)

    assert same(epoch(size), epoch(7))


def test_streams_belong_to_seed_epoch_and_example() -> None:
    loader = Loader(Subset(source_of(9), torch.tensor([8, 2])), batch_size=2, seed=11)
    loader.set_epoch(4)
    (batch,) = loader
    expected = Streams.of_examples(torch.tensor([8, 2]), seed=11, stage="epoch 4").seeds
    assert torch.equal(batch["stream"], expected)


def test_nothing_is_augmented_unless_asked() -> None:
    source = source_of(12)
    plain, changed = (joined(Loader(source, batch_size=5, augment=augment)) for augment in ((), (Flip(), Crop(1))))
    assert torch.equal(plain["image"], source.images / 255)
    assert not torch.equal(changed["image"], plain["image"])
    assert torch.equal(changed["label"], plain["label"])


def test_augmentations_are_applied_in_order_to_floats() -> None:
    seen = []

    def watch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        seen.append((batch["image"].dtype, float(batch["image"].max())))
        return {**batch, "image": batch["image"] / 2}

    list(Loader(source_of(4), batch_size=4, augment=[watch, watch]))
    assert seen[0][0] == torch.float32
    assert seen[1][1] == seen[0][1] / 2 <= 0.5


@few_processors
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(streamed: Streamed, workers: int) -> None:
    def epoch(count: int) -> list[dict[str, Tensor]]:
        return list(Loader(streamed, batch_size=3, shuffle=True, augment=[Flip()], workers=count, place=PLACE))

    alone, together = epoch(0), epoch(workers)
    assert [len(batch["label"]) for batch in together] == [3, 3, 1]
    assert all(same(first, second) for first, second in zip(alone, together, strict=True))


@few_processors
def test_no_draw_is_taken_from_the_global_generator(streamed: Streamed) -> None:
    before = torch.random.get_rng_state()
    list(Loader(streamed, batch_size=3, shuffle=True, workers=1))
    assert torch.equal(torch.random.get_rng_state(), before)


@few_processors
def test_a_damaged_file_is_reported_through_a_worker(streamed: Streamed) -> None:
    streamed.paths[4].write_bytes(b"no image")
    with pytest.raises(DataError, match=r"4.png: expected an image, but it cannot be decoded"):
        list(Loader(streamed, batch_size=3, workers=1))


@few_processors
def test_an_epoch_can_be_left_early_and_begun_again(streamed: Streamed) -> None:
    loader = Loader(streamed, batch_size=2, workers=1)
    first = next(iter(loader))
    assert same(first, next(iter(loader)))


class Decoder(InMemory):
    """Says in which process it was asked."""

    def fetch(self, rows: Tensor) -> dict[str, Tensor]:
        return {**super().fetch(rows), "process": torch.full((len(rows),), os.getpid())}


@few_processors
def test_only_sources_that_decode_are_given_to_workers() -> None:
    source = Decoder(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), ("a",))
    assert joined(Loader(source, batch_size=2, workers=1))["process"].tolist() == [os.getpid()] * 4
    source.in_memory = False
    assert os.getpid() not in joined(Loader(source, batch_size=2, workers=1))["process"].tolist()


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 20))
def test_processes_share_an_epoch(world: int, size: int, more: int) -> None:
    source = source_of(world + more)
    loaders = [
        Loader(source, batch_size=size, shuffle=True, place=Place(rank=rank, world=world)) for rank in range(world)
    ]
    assert sorted(index for loader in loaders for index in order(loader)) == list(range(len(source)))
    assert len({len(loader) for loader in loaders}) == 1
    assert all(len(list(loader)) == len(loader) for loader in loaders)
    assert all(1 <= len(batch["label"]) <= size + 1 for loader in loaders for batch in loader)


def test_the_batches_of_two_processes_are_those_of_one_with_twice_the_size() -> None:
    first, second = (Loader(source_of(21), batch_size=4, shuffle=True, place=Place(rank=r, world=2)) for r in (0, 1))
    alone = Loader(source_of(21), batch_size=8, shuffle=True)
    pairs = [sorted(a["index"].tolist() + b["index"].tolist()) for a, b in zip(first, second, strict=True)]
    assert pairs == [sorted(batch["index"].tolist()) for batch in alone]


def test_a_process_sees_its_examples_as_one_process_would() -> None:
    whole = joined(Loader(source_of(9), batch_size=9, augment=[Flip()]))
    part = joined(Loader(source_of(9), batch_size=2, augment=[Flip()], place=Place(rank=1, world=2)))
    rows = part["index"]
    assert same(part, {name: value[rows] for name, value in whole.items()})


@pytest.mark.parametrize(("rank", "world"), [(2, 2), (-1, 2), (0, 0)])
def test_a_rank_of_no_process_is_refused(rank: int, world: int) -> None:
    with pytest.raises(ValueError, match=f"rank must be 0 to world - 1, got rank {rank} of world {world}"):
        Place(rank=rank, world=world)


def test_more_processes_than_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="3 processes cannot share 2 examples; start fewer"):
        Loader(source_of(2), batch_size=1, place=Place(world=3))


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch needs at least one example, got batch_size=0"):
        Loader(source_of(2), batch_size=0)


def test_a_negative_number_of_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="workers are counted from 0, got -1"):
        Loader(source_of(2), batch_size=1, workers=-1)
