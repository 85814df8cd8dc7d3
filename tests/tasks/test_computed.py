"""Truth is the batch's annotation, or computed from what the batch has; what is missing is said."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from manyheads.data import Annotated, drawn_scenes
from manyheads.tasks import (
    COMPUTED,
    CleanImage,
    Computed,
    classify,
    curvature,
    depth,
    euclidean_depth,
    makers,
    normals,
    reshade,
    texture_edges,
)

Scene = Mapping[str, Tensor]
CHANNELS = {"normal": 3, "curvature": 2}


def test_an_annotation_goes_before_computing_it() -> None:
    batch = {"normal": torch.ones(1, 3, 2, 2)}
    assert COMPUTED["normal"](batch) is batch["normal"]


@pytest.mark.parametrize("name", COMPUTED)
def test_every_computed_annotation_has_its_form(rooms: Scene, name: str) -> None:
    given = {entry: rooms[entry] for entry in ("image", "depth", "euclidean_depth", "intrinsics") if entry != name}
    found = COMPUTED[name](given)
    assert found.shape == (8, CHANNELS.get(name, 1), 96, 128)
    assert found.dtype == torch.float32
    assert found.isnan().float().mean() < 0.02


@pytest.mark.parametrize("name", [name for name in COMPUTED if COMPUTED[name].needs != ("image",)])
def test_unknown_depth_makes_unknown_truth_and_nothing_else_of_it(rooms: Scene, name: str) -> None:
    given = {entry: rooms[entry].clone() for entry in ("depth", "euclidean_depth", "intrinsics") if entry != name}
    whole = COMPUTED[name](given)
    for entry in given.keys() & {"depth", "euclidean_depth"}:
        given[entry][:, :, 20:30, 40:50] = torch.nan
    found = COMPUTED[name](given)
    assert found[:, :, 20:30, 40:50].isnan().all()
    elsewhere = torch.ones(96, 128, dtype=torch.bool)
    elsewhere[8:42, 28:62] = False
    torch.testing.assert_close(found[..., elsewhere], whole[..., elsewhere], equal_nan=True)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("normal", "'normal', and to compute it lacks depth, intrinsics; it has: image"),
        ("depth", "'depth', and to compute it lacks euclidean_depth, intrinsics; it has: image"),
        ("reshading", "'reshading', and to compute it lacks intrinsics; it has: image"),
    ],
)
def test_what_is_missing_is_said(name: str, missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        COMPUTED[name]({"image": torch.zeros(1, 3, 4, 4)})


def test_no_gradient_flows_through_the_truth(rooms: Scene) -> None:
    image = rooms["image"].clone().requires_grad_()
    assert not COMPUTED["texture_edges"]({"image": image}).requires_grad
    assert not CleanImage()({"image": image}).requires_grad


def test_examples_are_computed_one_by_one(rooms: Scene) -> None:
    given = {entry: rooms[entry] for entry in ("image", "depth", "intrinsics")}
    for made in COMPUTED.values():
        alone = made({entry: value[3:4] for entry, value in given.items()} | {"euclidean_depth": rooms["depth"][3:4]})
        together = made(given | {"euclidean_depth": rooms["depth"]})
        torch.testing.assert_close(alone, together[3:4], rtol=1e-4, atol=1e-4, equal_nan=True)


def test_makers_are_of_what_is_asked_and_absent_with_normals_first() -> None:
    tasks = [curvature(), reshade(), depth(), texture_edges(), classify("digit", classes=10)]
    assert list(makers(tasks, present={"depth", "intrinsics", "curvature"})) == ["normal", "texture_edges", "reshading"]
    assert list(makers(tasks[:1], present={"depth", "curvature"})) == []
    assert list(makers([normals(), euclidean_depth()], present={"depth"})) == ["euclidean_depth", "normal"]


def test_makers_add_to_a_source_what_its_tasks_need() -> None:
    scenes = drawn_scenes(examples=2, size=(12, 16))
    absent = {name: scenes.annotations.pop(name) for name in ("euclidean_depth", "reshading")}
    tasks = [euclidean_depth(), reshade()]
    batch = Annotated(scenes, makers(tasks, present=scenes.annotations)).fetch(torch.arange(2))
    for task in tasks:
        torch.testing.assert_close(task.target(batch), absent[task.name], rtol=0, atol=1e-5)


def test_a_computed_annotation_may_be_ones_own() -> None:
    dark = Computed("darkness", darkness, ("image",))
    assert dark({"image": torch.full((1, 3, 2, 2), 0.25)}).unique().tolist() == [0.75]


def darkness(batch: Mapping[str, Tensor]) -> Tensor:
    return 1 - batch["image"].mean(1, keepdim=True)
