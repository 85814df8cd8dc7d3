"""Frames: images with annotations per pixel, in memory; computed annotations; any source held in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from manyheads.data.source import Source
from manyheads.types import Batch

RESERVED = frozenset({"image", "label", "index", "stream"})
"""Entries of a batch that are no annotations."""


@final
@dataclass(eq=False)
class Frames(Source):
    """Frames that are decoded already, with annotations by name; a frame has no class of its own: `label` is zero.

    Args:
        images: uint8 pixels.
        annotations: per name one tensor whose first axis counts the frames, such as `depth` in metres of shape
            (frames, 1, height, width), NaN where unknown, or `segmentation` (frames, height, width), -1 where unknown.
        class_names: a name for each class of `segmentation`.
        groups: what belongs together, such as the frames of one scene; None for nothing.

    Raises:
        ValueError: if there are no frames, an annotation or the groups are not as many, or an annotation has the name
            of another entry.
    """

    images: UInt8[Tensor, "frames channel height width"]
    annotations: Mapping[str, Tensor]
    class_names: tuple[str, ...]
    groups: Int64[Tensor, " groups"] | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if len(self.images) == 0:
            raise ValueError("a source needs at least one frame, got none")
        _refuse_reserved(self.annotations)
        counts = {name: len(entry) for name, entry in self.annotations.items()}
        if self.groups is not None:
            counts["groups"] = len(self.groups)
        odd = {name: count for name, count in counts.items() if count != len(self.images)}
        if odd:
            raise ValueError(f"every frame needs its annotations, got {len(self.images)} frames and of others {odd}")
        channels, height, width = self.images.shape[1:]
        self.image_shape = (channels, height, width)
        self.labels = torch.zeros(len(self.images), dtype=torch.int64)
        self.in_memory = True

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Pick the rows out of memory."""
        picked = {name: entry[rows] for name, entry in self.annotations.items()}
        return {"image": self.images[rows], "label": self.labels[rows], "index": rows, **picked}


@final
class Annotated(Source):
    """A source with annotations that are computed from its batches whenever they are fetched.

    Args:
        source: the other source.
        makers: per name what computes the annotation of a batch; it sees `image` as float in [0, 1], the source's own
            annotations and those of the makers before it. Same rows, same result: nothing may be drawn at random.

    Raises:
        ValueError: if there are no makers, or one has the name of an entry that every batch has.

    >>> frames = Frames(torch.full((2, 3, 4, 4), 51, dtype=torch.uint8), {}, ("all",))
    >>> bright = Annotated(frames, {"brightness": lambda batch: batch["image"].mean(1, keepdim=True)})
    >>> round(float(bright.fetch(torch.tensor([1]))["brightness"].mean()), 3)
    0.2
    """

    def __init__(self, source: Source, makers: Mapping[str, Callable[[Batch], Tensor]]) -> None:
        if not makers:
            raise ValueError("no annotation is asked for; use the source as it is")
        _refuse_reserved(makers)
        self.source, self.makers = source, dict(makers)
        self.class_names, self.image_shape = source.class_names, source.image_shape
        self.labels, self.groups = source.labels, source.groups

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Fetch from the source and compute the rest.

        Raises:
            ValueError: if the source has an annotation of that name, or a maker returns another number of examples.
        """
        fetched = self.source.fetch(rows)
        batch = fetched | {"image": fetched["image"].float() / 255}
        for name, make in self.makers.items():
            if name in batch:
                raise ValueError(f"the source has an annotation {name!r} already; give the computed one another name")
            batch[name] = make(batch)
            if len(batch[name]) != len(rows):
                raise ValueError(f"{name!r} was computed for {len(batch[name])} of {len(rows)} examples")
        return batch | {"image": fetched["image"]}


def hold(source: Source, *, batch_size: int = 64) -> Source:
    """Fetch everything once and keep it in memory; `index` stays what it was.

    Args:
        source: what to keep; all its examples must have entries of the same names and shapes.
        batch_size: how many examples are fetched at once.

    Raises:
        ValueError: if the batch size is below one.
    """
    if batch_size < 1:
        raise ValueError(f"a batch needs at least one example, got batch_size={batch_size}")
    return _Held(source, batch_size=batch_size)


@final
class _Held(Source):
    """Everything that a source fetches, in memory."""

    def __init__(self, source: Source, *, batch_size: int) -> None:
        self.class_names, self.image_shape = source.class_names, source.image_shape
        self.labels, self.groups, self.in_memory = source.labels, source.groups, True
        self.entries: dict[str, Tensor] = {}
        for rows in torch.arange(len(source)).split(batch_size):
            for name, entry in source.fetch(rows).items():
                if name not in self.entries:
                    self.entries[name] = entry.new_empty(len(source), *entry.shape[1:])
                self.entries[name][rows] = entry

    def fetch(self, rows: Int64[Tensor, " batch"]) -> dict[str, Tensor]:
        """Pick the rows out of memory."""
        return {name: entry[rows] for name, entry in self.entries.items()}


def _refuse_reserved(names: Mapping[str, object]) -> None:
    taken = sorted(RESERVED & names.keys())
    if taken:
        raise ValueError(f"every batch has {', '.join(taken)} of its own; give the annotation another name")
