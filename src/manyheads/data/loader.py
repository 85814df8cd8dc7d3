"""Loaders: batches of a source, epoch by epoch, the same for every batch size, number of workers and of processes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from manyheads.data.source import Source
from manyheads.randomness import Streams

Augment = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
"""A change of a batch that draws its random numbers from the batch's own `stream`."""

_PROCESSOR = torch.device("cpu")


@dataclass(frozen=True)
class Place:
    """Where a loader works: on which device, and as which of how many processes that share the examples.

    Args:
        device: where the batches are wanted.
        rank: the number of this process.
        world: how many processes there are.

    Raises:
        ValueError: if no process has this rank.
    """

    device: torch.device = _PROCESSOR
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        """Refuse a rank that no process has."""
        if not 0 <= self.rank < self.world:
            raise ValueError(f"rank must be 0 to world - 1, got rank {self.rank} of world {self.world}")


class Loader:
    """Batches of a source: `image` as float in [0, 1], `label`, `index`, and `stream`, the examples' random seeds.

    An example's stream depends on seed, epoch and index alone, the order of an epoch on seed and epoch. Pixels travel
    to the device as bytes and become floats there.

    With several processes the batches of all of them, put together, are what one process with a `world` times larger
    batch would see. All have the same number of batches; where the last one would leave a process without an example,
    its examples join the batch before.

    Args:
        source: where the examples come from.
        batch_size: how many examples a batch has in this process; the last may have fewer.
        seed: decides order and streams, together with the epoch.
        shuffle: a new random order in every epoch.
        augment: changes of the batch, applied in order, on the device.
        workers: processes that decode image files ahead, 0 to decode in this one; a source in memory needs none and
            is read by this process in any case.
        place: device and process; None for the processor and a single process.

    Raises:
        ValueError: if the batch size is below one, the number of workers below zero, or processes outnumber examples.
    """

    def __init__(
        self,
        source: Source,
        *,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        augment: Sequence[Augment] = (),
        workers: int = 0,
        place: Place | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"a batch needs at least one example, got batch_size={batch_size}")
        if workers < 0:
            raise ValueError(f"workers are counted from 0, got {workers}")
        self.place = place or Place()
        if len(source) < self.place.world:
            raise ValueError(f"{self.place.world} processes cannot share {len(source)} examples; start fewer")
        self.source, self.batch_size, self.seed = source, batch_size, seed
        self.shuffle, self.augment, self.workers = shuffle, tuple(augment), workers
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; it decides the order and the streams."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Count the batches."""
        return len(self._batches(torch.arange(len(self.source))))

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of this epoch."""
        epoch = self.epoch
        batches = self._batches(self._order(epoch))
        for fetched in self._fetch(batches):
            yield self._finish(fetched, epoch=epoch)

    def _order(self, epoch: int) -> Int64[Tensor, " examples"]:
        rows = torch.arange(len(self.source))
        if not self.shuffle:
            return rows
        return Streams.of_examples(rows, seed=self.seed, stage=f"order {epoch}").seeds.argsort(stable=True)

    def _batches(self, order: Int64[Tensor, " examples"]) -> list[Tensor]:
        """Cut the order into batches of all processes, and take this process's share of each."""
        rank, world = self.place.rank, self.place.world
        batches = list(order.split(self.batch_size * world))
        if len(batches[-1]) < world and len(batches) > 1:
            last = batches.pop()
            batches[-1] = torch.cat([batches[-1], last])
        return [batch[rank::world] for batch in batches]

    def _fetch(self, batches: Sequence[Tensor]) -> Iterable[dict[str, Tensor]]:
        if self.source.in_memory or self.workers == 0:
            return map(self.source.fetch, batches)
        # The generator is given so that torch's own is left alone: it would be drawn from once per epoch.
        return DataLoader(
            _Fetched(self.source, batches),
            batch_size=None,
            num_workers=self.workers,
            generator=torch.Generator(),
            pin_memory=self.place.device.type == "cuda",
        )

    def _finish(self, fetched: Mapping[str, Tensor], *, epoch: int) -> dict[str, Tensor]:
        """Move to the device, turn pixels into floats in [0, 1], add the streams, augment."""
        device = self.place.device
        # Only what lies in page-locked memory travels while the program goes on.
        locked = {name: value.pin_memory() for name, value in fetched.items()} if device.type == "cuda" else fetched
        batch = {name: value.to(device, non_blocking=True) for name, value in locked.items()}
        batch["image"] = batch["image"].float() / 255
        batch["stream"] = Streams.of_examples(batch["index"], seed=self.seed, stage=f"epoch {epoch}").seeds
        for change in self.augment:
            batch = change(batch)
        return batch


class _Fetched(Dataset[dict[str, Tensor]]):
    """A list of batches, each fetched when it is asked for."""

    def __init__(self, source: Source, batches: Sequence[Tensor]) -> None:
        self.source, self.batches = source, batches

    def __len__(self) -> int:
        """Count the batches."""
        return len(self.batches)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        """Fetch one."""
        return self.source.fetch(self.batches[place])
