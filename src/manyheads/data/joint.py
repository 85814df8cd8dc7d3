"""Several loaders in one: each step has a batch of every one of them."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from manyheads.data.loader import Loader
from manyheads.types import Batch

_MARK = "/"


class Joint:
    """One batch of every loader at each step, with keys such as `amazon/image` and `amazon/label`.

    An epoch is as long as the longest loader. A shorter one begins again whenever it is used up, in a new order if it
    shuffles, so that none is left out of a step. Each pass of a loader has an epoch number of its own: orders and
    random numbers depend on this epoch alone, and training resumes exactly.

    Args:
        loaders: by name; the names mark the keys of their batches.

    Raises:
        ValueError: if there is no loader, one has no batches, or a name contains a slash.

    >>> from manyheads.data import sklearn_digits
    >>> train, test = (Loader(sklearn_digits(split), batch_size=100) for split in ("train", "test"))
    >>> joint = Joint({"train": train, "test": test})
    >>> len(train), len(test), len(joint)
    (13, 6, 13)
    """

    def __init__(self, loaders: Mapping[str, Loader]) -> None:
        if not loaders:
            raise ValueError("there is nothing to join; give at least one loader, by name")
        for name, loader in loaders.items():
            if _MARK in name or not name:
                raise ValueError(f"a loader's name stands before a slash and has none itself, got {name!r}; rename it")
            if not len(loader):
                raise ValueError(f"the loader {name!r} has no batches; leave it out, or give it examples")
        self.loaders = dict(loaders)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; it decides all orders and streams."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Count the steps: the batches of the longest loader."""
        return max(len(loader) for loader in self.loaders.values())

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """Yield the joint batches of this epoch."""
        endless = {name: self._endless(loader, epoch=self.epoch) for name, loader in self.loaders.items()}
        for _ in range(len(self)):
            given = {name: next(batches) for name, batches in endless.items()}
            yield {f"{name}{_MARK}{key}": value for name, batch in given.items() for key, value in batch.items()}

    def _endless(self, loader: Loader, *, epoch: int) -> Iterator[dict[str, Tensor]]:
        """Pass through a loader again and again."""
        passes = -(-len(self) // len(loader))
        for number in range(epoch * passes, (epoch + 1) * passes):
            loader.set_epoch(number)
            yield from loader


def is_joint(batch: Batch) -> bool:
    """Tell whether a batch is one of several loaders."""
    return all(_MARK in key for key in batch)


def part(batch: Batch, name: str) -> dict[str, Tensor]:
    """Pick one loader's batch out of a joint one.

    Args:
        batch: what `Joint` yields.
        name: the loader's name.

    Raises:
        ValueError: if no loader of this name gave anything to the batch.
    """
    mark = f"{name}{_MARK}"
    found = {key.removeprefix(mark): value for key, value in batch.items() if key.startswith(mark)}
    if not found:
        names = dict.fromkeys(key.split(_MARK)[0] for key in batch)
        raise ValueError(f"the joint batch has no part {name!r}; it has {', '.join(names)}")
    return found
