"""Rays meet what is there, where it is, and nothing before it."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from manyheads.data.furnishing import draw_camera, draw_room
from manyheads.data.ray_casting import FACES, Camera, Room, cast
from manyheads.randomness import Streams

SIZE = (24, 32)


def streams_of(count: int, *, seed: int = 0) -> Streams:
    return Streams.of_examples(torch.arange(count), seed=seed, stage="test")


def pixels() -> Tensor:
    row, column = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    return torch.stack([column, row], dim=-1).flatten(0, 1).double()


def scenes(count: int, *, seed: int = 0) -> tuple[Room, Tensor]:
    """Rooms, and rays through all pixels of their cameras."""
    streams = streams_of(count, seed=seed)
    camera = draw_camera(streams, size=SIZE)
    return draw_room(streams), camera.rays(pixels().expand(count, -1, -1))


def inside(room: Room, point: Tensor) -> tuple[Tensor, Tensor]:
    """How deep points (scenes, points) are in each box and ball: below zero outside, zero on the surface."""
    away = (point[:, :, None] - room.centre[:, None])[..., None, :]
    local = (away @ room.turned()[:, None])[..., 0, :]
    in_boxes = (room.half[:, None] - local.abs()).amin(-1)
    in_balls = room.radius[:, None] - (point[:, :, None] - room.ball_centre[:, None]).norm(dim=-1)
    return in_boxes, in_balls


def empty_room() -> Room:
    """A room of 4×2×8 metres with the camera in its middle, and nothing in it."""
    zero = torch.zeros(1, 1, 3, dtype=torch.float64)
    half = torch.tensor([[[2.0, 1.0, 4.0]]], dtype=torch.float64)
    return Room(zero, half, zero[..., 0], zero, zero[..., 0])


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.1, 9.0))
def test_a_point_is_seen_where_its_ray_goes_through(seed: int, depth: float) -> None:
    camera = draw_camera(streams_of(3, seed=seed), size=SIZE)
    pixel = pixels().expand(3, -1, -1)
    seen = camera.project(camera.rays(pixel) * depth)
    assert torch.allclose(seen[..., :2], pixel, atol=1e-9)
    assert torch.allclose(seen[..., 2], torch.full_like(seen[..., 2], depth))


def test_a_camera_that_is_not_turned_looks_ahead() -> None:
    camera = Camera(torch.tensor([[10.0, 20.0, 3.0, 4.0]]).double(), torch.eye(3).double()[None])
    assert camera.rays(torch.tensor([[[3.0, 4.0], [13.0, 14.0]]]).double()).tolist() == [[[0, 0, 1], [1, 0.5, 1]]]


def test_an_empty_room_is_met_at_its_faces() -> None:
    directions = torch.tensor([[[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -2, 0], [0, 0, 1], [0.1, 0.1, -1]]]).double()
    hits = cast(empty_room(), directions)
    assert torch.allclose(hits.length, torch.tensor([[2.0, 2, 1, 0.5, 4, 4]]).double())
    assert hits.surface.tolist() == [[1, 0, 3, 2, 5, 4]]
    normals = torch.tensor([[[-1.0, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]]]).double()
    assert torch.equal(hits.normal, normals)
    assert torch.allclose(hits.spot[0, -1], torch.tensor([0.4, 0.4]).double())


def test_a_box_and_a_ball_are_met_before_the_wall() -> None:
    room = empty_room()
    quarter = torch.tensor([[0.0, math.pi / 4]]).double()
    filled = Room(
        torch.cat([room.centre, torch.tensor([[[0.0, 0, 3]]]).double()], dim=1),
        torch.cat([room.half, torch.full((1, 1, 3), 0.5).double()], dim=1),
        quarter,
        torch.tensor([[[1.0, 0, 1]]]).double(),
        torch.tensor([[0.25]]).double(),
    )
    hits = cast(filled, torch.tensor([[[0.0, 0, 1], [1.0, 0, 1], [0.3, 0, 1]]]).double())
    expected = [3 - math.sqrt(0.5), 1 - 0.25 / math.sqrt(2), 4.0]
    assert torch.allclose(hits.length, torch.tensor([expected]).double())
    assert (hits.surface // FACES).tolist() == [[1, 2, 0]]
    assert torch.allclose(hits.normal[0, 1], torch.tensor([-1.0, 0, -1]).double() / math.sqrt(2))


def test_a_box_is_met_on_the_side_where_the_camera_is_and_nothing_behind_the_camera_is_met() -> None:
    room, nothing = empty_room(), torch.zeros(1, 1).double()
    box, half = torch.tensor([[[0.0, 0, 2]]]).double(), torch.full((1, 1, 3), 0.5).double()
    centre, halves = torch.cat([room.centre, box], dim=1), torch.cat([room.half, half], dim=1)
    filled = Room(centre, halves, torch.zeros(1, 2).double(), torch.tensor([[[1.0, 0, 0]]]).double(), nothing + 0.25)
    hits = cast(filled, torch.tensor([[[0.0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0]]]).double())
    assert hits.length.tolist() == [[1.5, 4, 0.75, 2]]
    assert hits.surface.tolist() == [[FACES + 4, 4, 2 * FACES, 0]]
    assert hits.normal[0, 0].tolist() == [0, 0, -1]


def test_rays_end_on_the_surface_that_they_name() -> None:
    room, direction = scenes(20)
    hits = cast(room, direction)
    in_boxes, in_balls = inside(room, direction * hits.length[..., None])
    depth = torch.cat([in_boxes.repeat_interleave(FACES, dim=-1), in_balls], dim=-1)
    assert depth.gather(-1, hits.surface[..., None]).abs().max() < 1e-9
    assert hits.surface.unique().numel() > 15


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.floats(0.0, 0.999))
def test_nothing_is_in_the_way(seed: int, share: float) -> None:
    room, direction = scenes(4, seed=seed)
    in_boxes, in_balls = inside(room, direction * share * cast(room, direction).length[..., None])
    assert in_boxes[..., 0].min() > 0
    assert in_boxes[..., 1:].max() < 1e-9
    assert in_balls.max() < 1e-9


def test_normals_are_unit_vectors_at_right_angles_to_the_surface() -> None:
    room, direction = scenes(20)
    hits, beside = cast(room, direction), cast(room, direction + 1e-6)
    step = direction * hits.length[..., None] - (direction + 1e-6) * beside.length[..., None]
    same = hits.surface == beside.surface
    slope = (step * hits.normal).sum(-1) / step.norm(dim=-1)
    assert torch.allclose(hits.normal.norm(dim=-1), torch.ones_like(hits.length))
    assert ((hits.normal * direction).sum(-1) < 0).all()
    assert slope[same].abs().max() < 1e-3
    assert same.float().mean() > 0.99


def test_spots_are_metres_on_the_face() -> None:
    room, direction = scenes(20)
    hits, beside = cast(room, direction), cast(room, direction + 1e-3)
    step = (direction * hits.length[..., None] - (direction + 1e-3) * beside.length[..., None]).norm(dim=-1)
    flat = (hits.surface == beside.surface) & (hits.surface < FACES * room.boxes)
    assert torch.allclose((hits.spot - beside.spot).norm(dim=-1)[flat], step[flat])


def test_things_of_no_size_are_not_there() -> None:
    direction = torch.nn.functional.normalize(
        torch.randn(1, 500, 3, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    centre = direction[:, :1].double() * 2
    room = empty_room()
    half = torch.cat([room.half, torch.zeros(1, 1, 3).double()], dim=1)
    nothing = Room(torch.cat([room.centre, centre], dim=1), half, torch.zeros(1, 2).double(), centre, room.radius)
    assert torch.equal(cast(nothing, direction.double()).length, cast(room, direction.double()).length)


def test_selected_scenes_are_met_alike() -> None:
    room, direction = scenes(4)
    rows = torch.tensor([2, 0, 2])
    whole, part = cast(room, direction), cast(room.select(rows), direction[rows])
    assert torch.equal(part.length, whole.length[rows])
    assert torch.equal(part.surface, whole.surface[rows])
