"""Rooms, cameras and paints that are drawn at random hang together."""

import math

import torch
from torch import Tensor

from manyheads.data.furnishing import (
    BALLS,
    BOXES,
    CHECKS,
    CLASS_NAMES,
    PLAIN,
    STRIPES,
    draw_camera,
    draw_light,
    draw_paint,
    draw_room,
    surface_classes,
)
from manyheads.data.ray_casting import FACES
from manyheads.randomness import Streams

COUNT = 300
SIZE = (48, 64)


def streams_of(count: int = COUNT) -> Streams:
    return Streams.of_examples(torch.arange(count), seed=3, stage="test")


def named(name: str) -> Tensor:
    return surface_classes() == CLASS_NAMES.index(name)


def test_every_surface_has_a_class() -> None:
    assert len(surface_classes()) == FACES * (1 + BOXES) + BALLS
    assert [int(named(name).sum()) for name in CLASS_NAMES] == [1, 1, 4, FACES * BOXES, BALLS]


def test_the_floor_is_below_and_the_ceiling_above() -> None:
    assert named("floor").nonzero().item() == 2 * 1 + 1
    assert named("ceiling").nonzero().item() == 2 * 1


def test_cameras_stand_in_the_room_and_in_no_thing() -> None:
    room = draw_room(streams_of())
    local = (-room.centre[:, :, None] @ room.turned())[:, :, 0]
    depth = (room.half - local.abs()).amin(-1)
    assert (depth[:, 0] > 0.4).all()
    assert (depth[:, 1:] < -0.4).all()
    assert (room.ball_centre.norm(dim=-1) > room.radius + 0.4).all()


def test_boxes_stand_on_the_floor_and_balls_hang_in_the_room() -> None:
    room = draw_room(streams_of())
    floor = (room.centre + room.half)[:, :1, 1]
    there = room.half[:, 1:, 1] > 0
    reach = (room.half[:, 1:, ::2]).norm(dim=-1, keepdim=True)
    high, low = ((room.centre + sign * room.half)[:, :1, ::2] for sign in (1, -1))
    assert (room.centre[:, 1:, ::2] + reach < high).all()
    assert (room.centre[:, 1:, ::2] - reach > low)[..., 0].all()
    assert torch.allclose((room.centre + room.half)[:, 1:, 1][there], floor.expand(-1, BOXES)[there])
    lowest = room.ball_centre[..., 1] + room.radius
    assert (lowest <= floor + 1e-9).all()
    assert (room.ball_centre[..., 1] - room.radius > (room.centre - room.half)[:, :1, 1]).all()


def test_scenes_have_different_numbers_of_things() -> None:
    room = draw_room(streams_of())
    assert (room.half[:, 1:, 0] > 0).sum(1).unique().tolist() == [1, 2, 3]
    assert (room.radius > 0).sum(1).unique().tolist() == [1, 2]


def test_cameras_are_turned_by_rotations_within_bounds() -> None:
    camera = draw_camera(streams_of(), size=SIZE)
    eye = torch.eye(3).double().expand(COUNT, -1, -1)
    assert torch.allclose(camera.rotation @ camera.rotation.mT, eye, atol=1e-12)
    assert torch.allclose(torch.linalg.det(camera.rotation), torch.ones(COUNT).double())
    ahead = camera.rotation[:, :, 2]
    down = torch.asin(ahead[:, 1])
    assert -0.1 < float(down.min()) < 0
    assert 0.3 < float(down.max()) < 0.4
    assert float(torch.atan2(ahead[:, 0], ahead[:, 2]).abs().max()) < math.radians(30)


def test_intrinsics_scale_with_the_size() -> None:
    small, large = (draw_camera(streams_of(), size=size).intrinsics for size in (SIZE, (96, 128)))
    assert torch.allclose(large[:, :2], 2 * small[:, :2])
    assert torch.allclose(large[:, 2:] + 0.5, 2 * (small[:, 2:] + 0.5))
    assert not torch.equal(small[:, 0], small[:, 1])


def test_paint_is_of_every_kind_but_balls_have_no_checks() -> None:
    paint = draw_paint(streams_of())
    assert paint.kind.unique().tolist() == [PLAIN, STRIPES, CHECKS]
    assert paint.kind[:, named("ball")].unique().tolist() == [PLAIN, STRIPES]
    assert float(paint.colours.min()) > 0
    assert float(paint.colours.max()) <= 1


def test_the_two_colours_of_a_surface_differ() -> None:
    colours = draw_paint(streams_of()).colours.mean(-1)
    assert (colours[..., 0] - colours[..., 1]).abs().mean() > 0.2


def test_the_lamp_is_above() -> None:
    light = draw_light(streams_of())
    assert (light[:, 1] < -0.3).all()
    assert torch.allclose(light.norm(dim=1), torch.ones(COUNT).double())


def test_a_scene_does_not_depend_on_its_mates() -> None:
    rows = torch.tensor([7, 2])
    all_rooms, rooms = draw_room(streams_of()), draw_room(streams_of().select(rows))
    assert torch.equal(all_rooms.centre[rows], rooms.centre)
    assert torch.equal(draw_paint(streams_of()).start[rows], draw_paint(streams_of().select(rows)).start)
