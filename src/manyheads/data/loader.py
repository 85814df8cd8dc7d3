"""Loaders: batches of a source, epoch by epoch, the same for every batch size, worker and process."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from manyheads.data.source import Source
from manyheads.randomness import Streams

Augment = Callable[[dict[str, Tensor]], dict[str, Tensor]]
"""A change of a batch that draws its random numbers from the batch's own `stream`."""


@dataclass(frozen=True)
class Shard:
    """Which process this is, and of how many: each gets every `world`-th example."""

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        """Refuse a rank that no process has."""
        if not 0 <= self.rank < self.world:
            raise ValueError(f"rank must be 0 to world - 1, got rank {self.rank} of world {self.world}")


class Loader:
    """Batches of a source: `image` as float in [0, 1], `label`, `index`, and `stream`, the examples' random seeds.

    Args:
        source: where the examples come from.
        batch_size: how many examples a batch has; the last may have fewer.
        seed: decides order and streams, together with the epoch.
        shuffle: a new random order in every epoch.
        augment: changes of the batch, applied in order.
        workers: processes that decode ahead; 0 fetches in this one.
        shard: the part of the examples that this process sees.

    Raises:
        ValueError: if the batch size is below one.
    """

    def __init__(  # noqa: PLR0913 (each says one independent thing about the batches)
        self,
        source: Source,
        *,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        augment: Sequence[Augment] = (),
        workers: int = 0,
        shard: Shard | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"a batch needs at least one example, got batch_size={batch_size}")
        self.source, self.batch_size, self.seed = source, batch_size, seed
        self.shuffle, self.augment, self.workers = shuffle, tuple(augment), workers
        self.shard = shard or Shard()
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; it decides the order and the streams."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Count the batches."""
        return -(-len(range(self.shard.rank, len(self.source), self.shard.world)) // self.batch_size)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of this epoch."""
        rows = self._order()[self.shard.rank :: self.shard.world].split(self.batch_size)
        listed = _Fetched(self.source, rows)
        ahead = DataLoader(listed, batch_size=None, num_workers=self.workers) if self.workers else map(listed.__getitem__, range(len(rows)))
        for fetched in ahead:
            yield self._finish(fetched)

    def _order(self) -> Tensor:
        rows = torch.arange(len(self.source))
        if not self.shuffle:
            return rows
        return Streams.of_examples(rows, seed=self.seed, stage=f"order {self.epoch}").seeds.argsort(stable=True)

    def _finish(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add the streams, turn pixels into floats in [0, 1], augment."""
        streams = Streams.of_examples(batch["index"], seed=self.seed, stage=f"epoch {self.epoch}")
        batch = {**batch, "image": batch["image"].float() / 255, "stream": streams.seeds}
        for change in self.augment:
            batch = change(batch)
        return batch


class _Fetched(Dataset[dict[str, Tensor]]):
    """A list of batches, each fetched when it is asked for."""

    def __init__(self, source: Source, rows: Sequence[Tensor]) -> None:
        self.source, self.rows = source, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return self.source.fetch(self.rows[place])
