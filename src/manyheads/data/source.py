"""Sources: labelled images that can be fetched by row, in memory, from files, or a part of another source."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from manyheads.randomness import Streams


class Source(ABC):
    """Labelled images of one size.

    `class_names` are the names of the labels in their order, `image_shape` is (channels, height, width), `labels` the
    label of every example. Examples of one number in `groups` belong together (frames of one scene); `split` keeps
    them in one part. `in_memory` says that fetching decodes nothing.
    """

    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    labels: Int64[Tensor, " examples"]
    groups: Int64[Tensor, " examples"] | None = None
    in_memory: bool = False

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
        groups: what belongs together, such as the frames of one scene; None for nothing.

    Raises:
        ValueError: if images, labels and groups do not fit together, or a label has no name.
    """

    images: UInt8[Tensor, "examples channel height width"]
    labels: Int64[Tensor, " labels"]
    class_names: tuple[str, ...]
    groups: Int64[Tensor, " groups"] | None = None

    def __post_init__(self) -> None:
        """Refuse images without labels and labels without names."""
        counts = {len(self.images), len(self.labels), len(self.labels if self.groups is None else self.groups)}
        if len(counts) > 1:
            raise ValueError(
                f"every image needs a label (and a group, if there are groups), got {len(self.images)} images, "
                f"{len(self.labels)} labels and {'no' if self.groups is None else len(self.groups)} groups"
            )
        if len(self.labels) == 0:
            raise ValueError("a source needs at least one example, got none")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.class_names):
            raise ValueError(f"labels must be 0 to {len(self.class_names) - 1}, got {low} to {high}")
        channels, height, width = self.images.shape[1:]
        self.image_shape = (channels, height, width)
        self.in_memory = True

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
        self.in_memory = whole.in_memory

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Fetch from the whole."""
        return self.whole.fetch(self.rows[rows])


def split(source: Source, *, share: float, seed: int) -> tuple[Subset, Subset]:
    """Split a source in two: the rest first, then the given share of the examples, class by class.

    Without groups the second part has exactly `round(share * examples)` examples, and of every class about its share. A
    group goes to one part as a whole, so that the second part may be larger or smaller, by half a group or so.

    Args:
        source: what to split.
        share: the share of the second part, in (0, 1).
        seed: decides who goes where.

    Raises:
        ValueError: if the share is not in (0, 1), or a part would be empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is the second part's share of the examples, in (0, 1), got {share}")
    groups = torch.arange(len(source)) if source.groups is None else source.groups
    order, sizes = _spread(source.labels, groups, seed=seed)
    wanted = round(share * len(source))
    if len(sizes) < 2 or not 0 < wanted < len(source):
        raise ValueError(
            f"a share of {share} of {len(source)} examples in {len(sizes)} groups would be {wanted} of them; no part "
            "may be empty: choose another share"
        )
    reached = sizes[order].cumsum(0)[:-1]
    chosen = order[: int((reached - wanted).abs().argmin()) + 1]
    second = _members(groups, chosen)
    return Subset(source, (~second).nonzero()[:, 0]), Subset(source, second.nonzero()[:, 0])


def take(source: Source, *, count: int, seed: int) -> Subset:
    """Draw a subset in which every class has about the share that it has in the whole.

    Groups do not count: near twins are as likely to be drawn together as others. A smaller draw by the same seed is
    part of a larger one.

    Args:
        source: what to draw from.
        count: how many examples.
        seed: decides which.

    Raises:
        ValueError: if there are not so many.
    """
    if not 1 <= count <= len(source):
        raise ValueError(f"count must be 1 to {len(source)}, the number of examples, got {count}")
    order, _ = _spread(source.labels, torch.arange(len(source)), seed=seed)
    return Subset(source, order[:count].sort().values)


def _spread(
    labels: Int64[Tensor, " examples"], groups: Int64[Tensor, " examples"], *, seed: int
) -> tuple[Int64[Tensor, " groups"], Int64[Tensor, " groups"]]:
    """Order the groups at random but evenly: every beginning of the order has of every class about its share.

    Returns the order, as places in the sorted list of groups, and how many examples each group has.

    Reference: systematic sampling from each class, with a random start; every example is as likely as any other.
    """
    names, place, sizes = groups.unique(return_inverse=True, return_counts=True)
    label = torch.empty_like(names).scatter_(0, place, labels)
    shuffled = Streams.of_examples(names, seed=seed, stage="split").seeds.argsort(stable=True)
    # A group covers a stretch of its class, from 0 to 1; one point of the stretch places it among all classes' groups.
    classes = label.unique()
    points = Streams.of_examples(classes, seed=seed, stage="split start").uniform(1)[:, 0].double()
    fraction = torch.empty(len(names), dtype=torch.float64)
    for one, point in zip(classes, points, strict=True):
        own = shuffled[label[shuffled] == one]
        fraction[own] = (sizes[own].cumsum(0) - sizes[own] * point) / sizes[own].sum()
    return shuffled[fraction[shuffled].argsort(stable=True)], sizes


def _members(groups: Int64[Tensor, " examples"], chosen: Int64[Tensor, " chosen"]) -> Bool[Tensor, " examples"]:
    """Tell which examples belong to the chosen groups."""
    names, place = groups.unique(return_inverse=True)
    picked = torch.zeros(len(names), dtype=torch.bool)
    picked[chosen] = True
    return picked[place]
