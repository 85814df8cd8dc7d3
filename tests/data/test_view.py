"""Edges and key points of rooms whose picture is known by hand."""

import pytest
import torch
from torch import Tensor

from manyheads.data.furnishing import CHECKS, PLAIN, STRIPES, Paint
from manyheads.data.ray_casting import FACES, Camera, Room
from manyheads.data.view import (
    Points,
    View,
    bells,
    check_corners,
    corners,
    look,
    object_of,
    occlusion_edges,
    second_colour,
    texture_edges,
)

SIZE = (21, 31)
WALL_AHEAD = 5


def row(*values: float) -> Tensor:
    return torch.tensor([[values]], dtype=torch.float64)


def straight_camera() -> Camera:
    """Ten pixels wide is one metre, one metre ahead; the middle pixel looks straight ahead."""
    return Camera(torch.tensor([[10.0, 10.0, 15.0, 10.0]]).double(), torch.eye(3).double()[None])


def room_with(*, box: Tensor | None = None, half: Tensor | None = None, ball: Tensor | None = None) -> Room:
    """A room that ends 4 m ahead, the floor 1 m below, with a box and a ball of radius 0.3 or without."""
    nothing = row(0, 0, 0)
    return Room(
        torch.cat([nothing, nothing if box is None else box], dim=1),
        torch.cat([row(4, 1, 4), nothing if half is None else half], dim=1),
        torch.zeros(1, 2).double(),
        nothing if ball is None else ball,
        torch.tensor([[0.0 if ball is None else 0.3]]).double(),
    )


def paint_of(room: Room, *, kind: int, face: int = WALL_AHEAD) -> Paint:
    """Paint one face with a pattern of 1 m that starts 0.25 m and 0.3 m beside its middle, the rest plain."""
    count = FACES * room.boxes + 1
    kinds = torch.full((1, count), PLAIN)
    kinds[0, face] = kind
    start = torch.tensor([0.25, 0.3]).double().expand(1, count, 2)
    return Paint(kinds, torch.ones(1, count).double(), start, torch.zeros(1, count, 2, 3).double())


def seen(room: Room) -> View:
    return look(straight_camera(), room, size=SIZE)


def test_pixels_are_numbered_row_by_row() -> None:
    view = seen(room_with())
    assert view.planes(view.direction)[0, :, 10, 15].tolist() == [0, 0, 1]
    assert view.planes(view.direction)[0, :, 0, 30].tolist() == [1.5, -1, 1]


def test_faces_belong_to_their_boxes() -> None:
    surfaces = torch.tensor([0, 5, 6, 11, 12, 13])
    assert object_of(surfaces, boxes=2).tolist() == [0, 0, 1, 1, 2, 3]


def test_a_plain_wall_has_edges_where_it_ends_alone() -> None:
    view = seen(room_with())
    edges = texture_edges(view, paint_of(view.room, kind=PLAIN))[0, 0]
    wall = view.planes(view.hits.surface)[0] == WALL_AHEAD
    assert bool(edges.any())
    assert not edges[9:12, 7:24].any()
    assert not second_colour(paint_of(view.room, kind=PLAIN), view.hits).any()
    assert wall[8:13, 10:20].all()


def test_stripes_change_where_they_should() -> None:
    view = seen(room_with())
    paint = paint_of(view.room, kind=STRIPES)
    # The wall's first axis is x, 0.4 m a pixel; stripes begin at x = ..., -0.75, 0.25, 1.25, ...
    line = view.planes(second_colour(paint, view.hits))[0, 10]
    expected = [(torch.tensor((column - 15) * 0.4 - 0.25).floor() % 2 == 1).item() for column in range(6, 25)]
    assert line[6:25].tolist() == expected
    assert torch.equal(texture_edges(view, paint)[0, 0, 10, 13:20], torch.tensor([1.0, 1, 1, 1, 0, 1, 1]))


def test_checks_change_in_both_directions() -> None:
    view = seen(room_with())
    second = view.planes(second_colour(paint_of(view.room, kind=CHECKS), view.hits))[0]
    assert [bool(second[place]) for place in ((10, 15), (10, 16), (11, 15), (11, 16))] == [False, True, True, False]


def test_nothing_hides_anything_in_an_empty_room() -> None:
    assert not occlusion_edges(seen(room_with()), jump=0.01).any()


def test_a_box_on_the_floor_has_an_edge_everywhere_but_at_its_foot() -> None:
    view = seen(room_with(box=row(0, 0.75, 2), half=row(0.5, 0.25, 0.5)))
    edges = occlusion_edges(view, jump=0.05)[0, 0]
    shown = view.planes(view.objects)[0] == 1
    rows, columns = (places.unique().tolist() for places in shown.nonzero(as_tuple=True))
    top, foot, left, right = rows[0], rows[-1], columns[0], columns[-1]
    # Between foot and floor depth jumps by 0.2 m from one pixel to the next, yet nothing is in front of anything.
    depth = view.planes(view.hits.length)[0]
    assert (depth[foot, 15] - depth[foot + 1, 15]).abs() > 0.05
    assert not edges[foot : foot + 2, left + 2 : right - 1].any()
    assert edges[top - 1 : top + 1, 15].all()
    assert edges[foot - 1, left - 1 : left + 1].all()
    assert edges[foot - 1, right : right + 2].all()


def test_a_ball_in_the_air_is_in_front_all_around() -> None:
    view = seen(room_with(ball=row(0.1, 0.1, 1.5)))
    edges = occlusion_edges(view, jump=0.05)[0, 0].bool()
    shown = view.planes(view.objects)[0] == 2
    padded = torch.nn.functional.pad(shown, (1, 1, 1, 1))
    around = padded[2:, 1:-1] | padded[:-2, 1:-1] | padded[1:-1, 2:] | padded[1:-1, :-2]
    within = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    assert torch.equal(edges, (around & ~shown) | (shown & ~within))


@pytest.mark.parametrize(("jump", "found"), [(1.9, 4), (2.1, 0)])
def test_a_jump_is_measured_in_metres(jump: float, found: int) -> None:
    # The wall is 4 m ahead, the front of the box 2 m; its sides are not seen.
    view = seen(room_with(box=row(0, 0.25, 2.2), half=row(0.5, 0.75, 0.2)))
    assert int(occlusion_edges(view, jump=jump)[0, 0, 10].sum()) == found


def test_a_room_and_a_box_have_eight_corners_each() -> None:
    points = corners(room_with(box=row(1, 0.75, 2), half=row(0.5, 0.25, 0.5)))
    assert len(points.place) == 16
    assert points.place.unique(dim=0).shape == (16, 3)
    assert [2.0, 1.0, 2.5][1:] == points.place[points.place[:, 0] == 1.5][-1, 1:].tolist()
    assert len(corners(room_with()).place) == 8


def test_checks_have_corners_where_their_lines_cross_on_the_face() -> None:
    room = room_with()
    points = check_corners(room, paint_of(room, kind=CHECKS))
    # Lines at x = -3.75, -2.75, ..., 3.25 and, on the second axis, at y = -0.7 and 0.3.
    assert len(points.place) == 8 * 2
    assert torch.allclose(points.place[:, 2], torch.tensor(4.0).double())
    assert torch.allclose(points.place[:, 0].unique(), torch.arange(-3.75, 3.3, 1.0).double(), atol=1e-6)
    assert torch.allclose(points.place[:, 1].unique(), torch.tensor([-0.7, 0.3]).double())
    assert len(check_corners(room, paint_of(room, kind=STRIPES)).place) == 0


def points_at(*places: Tensor) -> Points:
    return Points(torch.zeros(len(places), dtype=torch.int64), torch.cat([place[0] for place in places]))


def test_a_bell_stands_on_its_point() -> None:
    view = seen(room_with())
    heat = bells(view, points_at(row(0.4, 0.8, 4)), width=1.0)[0, 0]
    assert heat[12, 16] == 1
    assert heat[12, 17] == pytest.approx(torch.tensor(-0.5).exp().item())
    assert heat.sum() == pytest.approx(2 * torch.pi, rel=1e-3)


def test_bells_between_pixels_and_at_the_border_are_cut_off_exactly() -> None:
    view = seen(room_with())
    heat = bells(view, points_at(row(-1.49 * 2.5, 0.0, 2.5), row(0.2, 0.0, 4)), width=1.0)[0, 0]
    assert heat[10, 0] == pytest.approx(torch.tensor(-0.5 * 0.1**2).exp().item())
    assert heat[10, 15] == heat[10, 16] == pytest.approx(torch.tensor(-0.5 * 0.5**2).exp().item())


@pytest.mark.parametrize(
    "place",
    [row(0.1, 0.75, 3.5), row(0, 0, -3), row(3.5, 0, 2), row(0, 0.9, 0.5)],
    ids=["behind the box", "behind the camera", "beside the picture", "below the picture"],
)
def test_hidden_points_have_no_bell(place: Tensor) -> None:
    view = seen(room_with(box=row(0, 0.5, 2), half=row(0.5, 0.5, 0.5)))
    assert not bells(view, points_at(place), width=1.0).any()


def test_the_corner_of_a_box_is_not_hidden_by_its_own_faces() -> None:
    view = seen(room_with(box=row(0, 0.75, 2), half=row(0.5, 0.25, 0.5)))
    heat = bells(view, corners(view.room), width=0.5)[0, 0]
    # The near upper corners are at 10 * (±0.5, 0.5) / 1.5 from the middle, the far ones at 10 * (±0.5, 0.5) / 2.5.
    assert heat[13, 18] > 0.3
    assert heat[13, 12] > 0.3
    assert heat[12, 17] == 1
    assert heat[12, 13] == 1
