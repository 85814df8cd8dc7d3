"""Frames in memory, computed annotations, and sources held in memory."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from manyheads.data import Annotated, Frames, InMemory, Loader, Source, Subset, hold, split, take
from manyheads.types import Batch

CLASSES = ("floor", "wall")


def frames_of(count: int = 8, *, groups: Tensor | None = None) -> Frames:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, 4, 6), generator=rng, dtype=torch.uint8)
    annotations = {
        "depth": torch.rand(count, 1, 4, 6, generator=rng) * 5,
        "segmentation": torch.randint(-1, 2, (count, 4, 6), generator=rng),
        "intrinsics": torch.rand(count, 4, generator=rng),
    }
    return Frames(images, annotations, CLASSES, groups)


def brightness(batch: Batch) -> Tensor:
    return batch["image"].mean(1, keepdim=True)


def all_of(source: Source) -> dict[str, Tensor]:
    return source.fetch(torch.arange(len(source)))


def test_frames_are_fetched_with_their_annotations() -> None:
    frames = frames_of()
    batch = frames.fetch(torch.tensor([5, 2]))
    assert batch.keys() == {"image", "label", "index", "depth", "segmentation", "intrinsics"}
    assert torch.equal(batch["image"], frames.images[[5, 2]])
    assert all(torch.equal(batch[name], entry[[5, 2]]) for name, entry in frames.annotations.items())
    assert batch["index"].tolist() == [5, 2]
    assert batch["label"].tolist() == [0, 0]


def test_frames_say_what_they_are() -> None:
    frames = frames_of(groups=torch.arange(8) // 2)
    assert len(frames) == 8
    assert frames.image_shape == (3, 4, 6)
    assert frames.in_memory
    assert frames.class_names == CLASSES


def test_a_split_takes_whole_groups() -> None:
    rest, held_out = split(frames_of(groups=torch.arange(8) // 2), share=0.25, seed=0)
    assert len(held_out) == 2
    assert rest.groups is not None
    assert held_out.groups is not None
    assert not set(rest.groups.tolist()) & set(held_out.groups.tolist())


def test_a_loader_makes_floats_of_images_alone() -> None:
    frames = frames_of()
    batch = next(iter(Loader(take(frames, count=3, seed=1), batch_size=3)))
    rows = batch["index"]
    assert torch.equal(batch["image"], frames.images[rows].float() / 255)
    assert all(torch.equal(batch[name], entry[rows]) for name, entry in frames.annotations.items())


def test_frames_without_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="a source needs at least one frame, got none"):
        frames_of(0)


@pytest.mark.parametrize("name", ["image", "label", "index", "stream"])
def test_an_annotation_of_a_taken_name_is_refused(name: str) -> None:
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    with pytest.raises(ValueError, match=f"every batch has {name} of its own; give the annotation another name"):
        Frames(images, {name: torch.zeros(2)}, CLASSES)
    with pytest.raises(ValueError, match=f"every batch has {name} of its own"):
        Annotated(frames_of(), {name: brightness})


@pytest.mark.parametrize(
    ("annotations", "groups", "named"),
    [({"depth": torch.zeros(3, 1, 4, 4)}, None, "depth': 3"), ({}, torch.zeros(1, dtype=torch.int64), "groups': 1")],
)
def test_annotations_for_other_frames_are_refused(
    annotations: Mapping[str, Tensor], groups: Tensor | None, named: str
) -> None:
    with pytest.raises(ValueError, match=f"every frame needs its annotations, got 2 frames and of others {{'{named}}}"):
        Frames(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), annotations, CLASSES, groups)


def test_computed_annotations_see_images_as_floats_and_what_was_computed_before() -> None:
    frames = frames_of()
    source = Annotated(frames, {"brightness": brightness, "double": lambda batch: 2 * batch["brightness"]})
    batch = source.fetch(torch.tensor([3, 1]))
    expected = (frames.images[[3, 1]].float() / 255).mean(1, keepdim=True)
    assert torch.equal(batch["brightness"], expected)
    assert torch.equal(batch["double"], 2 * expected)
    assert torch.equal(batch["image"], frames.images[[3, 1]])
    assert torch.equal(batch["depth"], frames.annotations["depth"][[3, 1]])


def test_an_annotated_source_is_otherwise_what_it_was() -> None:
    frames = frames_of(groups=torch.arange(8))
    source = Annotated(frames, {"brightness": brightness})
    assert (source.class_names, source.image_shape, len(source)) == (CLASSES, (3, 4, 6), 8)
    assert source.groups is frames.groups
    assert not source.in_memory


def test_workers_compute_the_same_annotations() -> None:
    source = Annotated(frames_of(), {"brightness": brightness})
    alone, helped = (list(Loader(source, batch_size=4, workers=count)) for count in (0, 1))
    assert all(torch.equal(a["brightness"], b["brightness"]) for a, b in zip(alone, helped, strict=True))


def test_no_computed_annotation_is_refused() -> None:
    with pytest.raises(ValueError, match="no annotation is asked for; use the source as it is"):
        Annotated(frames_of(), {})


def test_a_computed_annotation_does_not_replace_one_of_the_source() -> None:
    with pytest.raises(ValueError, match="the source has an annotation 'depth' already"):
        all_of(Annotated(frames_of(), {"depth": brightness}))


def test_a_computed_annotation_of_other_examples_is_refused() -> None:
    with pytest.raises(ValueError, match="'brightness' was computed for 1 of 8 examples"):
        all_of(Annotated(frames_of(), {"brightness": lambda batch: batch["image"][:1]}))


class Counting(Source):
    """Counts how often it is asked."""

    def __init__(self, source: Source) -> None:
        self.source, self.asked = source, 0
        self.class_names, self.image_shape = source.class_names, source.image_shape
        self.labels, self.groups = source.labels, source.groups

    def fetch(self, rows: Tensor) -> dict[str, Tensor]:
        self.asked += len(rows)
        return self.source.fetch(rows)


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_what_is_held_is_fetched_once(batch_size: int) -> None:
    counting = Counting(Annotated(frames_of(), {"brightness": brightness}))
    held = hold(counting, batch_size=batch_size)
    expected = all_of(counting.source)
    for _ in range(2):
        batch = held.fetch(torch.tensor([6, 0]))
        assert batch.keys() == expected.keys()
        assert all(torch.equal(batch[name], entry[[6, 0]]) for name, entry in expected.items())
    assert counting.asked == 8
    assert held.in_memory


def test_what_is_held_keeps_labels_groups_and_numbers() -> None:
    images = torch.zeros(6, 1, 2, 2, dtype=torch.uint8)
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    held = hold(Subset(InMemory(images, labels, CLASSES, torch.arange(6)), torch.tensor([4, 1])))
    assert held.labels.tolist() == [0, 1]
    assert held.groups is not None
    assert held.groups.tolist() == [4, 1]
    assert all_of(held)["index"].tolist() == [4, 1]


def test_holding_batches_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch needs at least one example, got batch_size=0"):
        hold(frames_of(), batch_size=0)
