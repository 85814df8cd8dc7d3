"""Sources: labelled images that can be fetched by row, in memory, from files, or a part of another source."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from manyheads.randomness import Streams


class Source(ABC):
    """Labelled images of one size.

    `class_names` are the names of the labels in their order, `image_shape` is (channels, height, width), `labels` the
    label of every example. Examples of one number in `groups` belong together (frames of one scene); `split` keeps
    them in one part.
    """

    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    labels: Int64[Tensor, " examples"]
    groups: Int64[Tensor, " examples"] | None = None

    @abstractmethod
    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Return the examples of these rows: uint8 `image`, `label`, and `index`, the number in the whole data set."""

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.labels)


@dataclass(eq=False)
class InMemory(Source):
    """Images that are decoded already, in memory or in a memory map.

    Args:
        images: uint8 pixels.
        labels: classes from 0.
        class_names: a name for each class.

    Raises:
        ValueError: if images and labels do not fit together, or a label has no name.
    """

    images: UInt8[Tensor, "examples channel height width"]
    labels: Int64[Tensor, " examples"]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse images without labels and labels without names."""
        if len(self.images) != len(self.labels):
            raise ValueError(f"every image needs a label, got {len(self.images)} images and {len(self.labels)} labels")
        if len(self.labels) == 0:
            raise ValueError("a source needs at least one example, got none")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.class_names):
            raise ValueError(f"labels must be 0 to {len(self.class_names) - 1}, got {low} to {high}")
        channels, height, width = self.images.shape[1:]
        self.image_shape = (channels, height, width)

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Pick the rows out of memory."""
        return {"image": self.images[rows], "label": self.labels[rows], "index": rows}


class Subset(Source):
    """Some examples of another source; `index` stays the number in the whole data set.

    Args:
        whole: the other source.
        rows: which of its rows, in order.

    Raises:
        ValueError: if there are none, or one is not there.
    """

    def __init__(self, whole: Source, rows: Int64[Tensor, " rows"]) -> None:
        if len(rows) == 0:
            raise ValueError("a subset needs at least one example, got none")
        if int(rows.min()) < 0 or int(rows.max()) >= len(whole):
            raise ValueError(f"rows must be 0 to {len(whole) - 1}, got {int(rows.min())} to {int(rows.max())}")
        self.whole, self.rows = whole, rows
        self.class_names, self.image_shape = whole.class_names, whole.image_shape
        self.labels = whole.labels[rows]
        self.groups = None if whole.groups is None else whole.groups[rows]

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Fetch from the whole."""
        return self.whole.fetch(self.rows[rows])


def split(source: Source, *, share: float, seed: int) -> tuple[Subset, Subset]:
    """Split a source in two, class by class: the rest first, then the given share of every class (rounded).

    Args:
        source: what to split.
        share: the share of the second part, in (0, 1).
        seed: decides who goes where.

    Raises:
        ValueError: if the share is not in (0, 1), or a part would be empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is the second part's share of the examples, in (0, 1), got {share}")
    second = _places_in_class(source, seed=seed) < share
    return Subset(source, (~second).nonzero()[:, 0]), Subset(source, second.nonzero()[:, 0])


def take(source: Source, *, count: int, seed: int) -> Subset:
    """Draw a subset in which every class has nearly the share that it has in the whole.

    Args:
        source: what to draw from.
        count: how many examples.
        seed: decides which.

    Raises:
        ValueError: if there are not so many.
    """
    if not 1 <= count <= len(source):
        raise ValueError(f"count must be 1 to {len(source)}, the number of examples, got {count}")
    order = _places_in_class(source, seed=seed).argsort(stable=True)
    return Subset(source, order[:count].sort().values)


def _places_in_class(source: Source, *, seed: int) -> Tensor:
    """Each example's place in a random order of its class, in (0, 1); a group stands in one place."""
    groups = torch.arange(len(source)) if source.groups is None else source.groups
    draws = Streams.of_examples(groups, seed=seed, stage="split").uniform(1)[:, 0]
    places = torch.empty(len(source), dtype=torch.float64)
    for label in source.labels.unique():
        members = source.labels == label
        drawn, place = draws[members].unique(return_inverse=True)
        places[members] = (place.double() + 0.5) / len(drawn)
    return places
