"""Views: rooms seen by their cameras, and the exact edges and key points in what is seen."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from manyheads.data.furnishing import CHECKS, PLAIN, Paint
from manyheads.data.ray_casting import FACES, Camera, Hits, Room, cast

_HALVINGS = 12
_MOST_CHECKS = 8


@dataclass(frozen=True, eq=False)
class View:
    """What the rays through all pixels of some scenes meet; pixels are numbered row by row.

    Args:
        camera: one per scene.
        room: what each stands in.
        size: height and width in pixels.
        direction: the rays, as `Camera.rays` gives them.
        hits: what they meet.
    """

    camera: Camera
    room: Room
    size: tuple[int, int]
    direction: Float64[Tensor, "scene pixel 3"]
    hits: Hits

    @property
    def objects(self) -> Int64[Tensor, "scene pixel"]:
        """What each pixel shows: 0 for the room, then the boxes, then the balls."""
        return object_of(self.hits.surface, boxes=self.room.boxes)

    def planes(self, entry: Tensor) -> Tensor:
        """Make an annotation of it: from (scene, pixel, channel) to (scene, channel, height, width)."""
        return entry.movedim(1, -1).unflatten(-1, self.size)


class Points(NamedTuple):
    """Points in rooms: the scene of each, and where, in metres."""

    scene: Int64[Tensor, " point"]
    place: Float64[Tensor, "point 3"]


def look(camera: Camera, room: Room, *, size: tuple[int, int]) -> View:
    """Cast a ray through every pixel."""
    height, width = size
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixel = torch.stack([column, row], dim=-1).flatten(0, 1).double()
    direction = camera.rays(pixel.expand(len(camera.intrinsics), -1, -1))
    return View(camera, room, size, direction, cast(room, direction))


def object_of(surface: Int64[Tensor, "*rays"], *, boxes: int) -> Int64[Tensor, "*rays"]:
    """Tell the object that a surface belongs to: a box with all its faces, or a ball."""
    return torch.where(surface < FACES * boxes, surface // FACES, surface - (FACES - 1) * boxes)


def second_colour(paint: Paint, hits: Hits) -> Bool[Tensor, "scene ray"]:
    """Tell where a surface shows the second of its colours."""
    scene = torch.arange(len(hits.surface))[:, None]
    period, start = paint.period[scene, hits.surface], paint.start[scene, hits.surface]
    step = ((hits.spot - start) / period[..., None]).floor().long()
    kind = paint.kind[scene, hits.surface]
    number = torch.where(kind == CHECKS, step.sum(-1), step[..., 0])
    return (number % 2 == 1) & (kind != PLAIN)


def texture_edges(view: View, paint: Paint) -> Float32[Tensor, "scene 1 height width"]:
    """Mark both pixels of every pair of neighbours between which the face or its colour changes."""
    seen = view.planes(2 * view.hits.surface + second_colour(paint, view.hits))
    return _both_sides(seen[:, :, 1:] != seen[:, :, :-1], seen[:, 1:] != seen[:, :-1])


def occlusion_edges(view: View, *, jump: float) -> Float32[Tensor, "scene 1 height width"]:
    """Mark both pixels of every pair of neighbours between which one object ends in front of another.

    Depths are compared at the very border, which bisection finds between the two pixels' rays: a box that stands on the
    floor has no jump of depth there, however steeply the floor is seen.

    Args:
        view: what is seen.
        jump: least difference of depth at the border, in metres.
    """
    seen = view.planes(view.objects)
    numbers = torch.arange(seen[0].numel()).view(view.size)
    across = _jumps(view, seen[:, :, 1:] != seen[:, :, :-1], first=numbers[:, :-1], second=numbers[:, 1:], jump=jump)
    down = _jumps(view, seen[:, 1:] != seen[:, :-1], first=numbers[:-1], second=numbers[1:], jump=jump)
    return _both_sides(across, down)


def _jumps(view: View, border: Tensor, *, first: Tensor, second: Tensor, jump: float) -> Tensor:
    """Of the pairs of neighbours with a border between them, those where depth jumps there."""
    scene, row, column = border.nonzero(as_tuple=True)
    near, far = first[row, column], second[row, column]
    room = view.room.select(scene)
    start, end = view.direction[scene, near], view.direction[scene, far]
    own = view.objects[scene, near]
    depths = torch.stack([view.hits.length[scene, near], view.hits.length[scene, far]])
    for _ in range(_HALVINGS):
        middle = (start + end) / 2
        hits = cast(room, middle[:, None])
        same = object_of(hits.surface[:, 0], boxes=room.boxes) == own
        start, end = torch.where(same[:, None], middle, start), torch.where(same[:, None], end, middle)
        depths = torch.where(torch.stack([same, ~same]), hits.length[:, 0], depths)
    found = border.clone()
    found[scene, row, column] = (depths[0] - depths[1]).abs() > jump
    return found


def _both_sides(across: Tensor, down: Tensor) -> Tensor:
    """From borders between columns and between rows to the pixels on either side."""
    pad = torch.nn.functional.pad
    marked = pad(across, (1, 0)) | pad(across, (0, 1)) | pad(down, (0, 0, 1, 0)) | pad(down, (0, 0, 0, 1))
    return marked[:, None].float()


def corners(room: Room) -> Points:
    """Find the corners of the rooms and of the boxes in them."""
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    scene, box = (room.half > 0).all(-1).nonzero(as_tuple=True)
    own = room.half[scene, box][:, None] * signs
    return _placed(room, own, scene=scene, box=box)


def check_corners(room: Room, paint: Paint) -> Points:
    """Find the corners of checks, as far as they lie on their faces."""
    faces = FACES * room.boxes
    scene, surface = (paint.kind[:, :faces] == CHECKS).nonzero(as_tuple=True)
    box, axis = surface // FACES, surface % FACES // 2
    steps = torch.arange(-_MOST_CHECKS, _MOST_CHECKS + 1, dtype=torch.float64)
    grid = torch.cartesian_prod(steps, steps) * paint.period[scene, surface][:, None, None]
    spot = grid + paint.start[scene, surface][:, None]
    half = room.half[scene, box]
    own = torch.empty(*spot.shape[:2], 3, dtype=torch.float64)
    rows = torch.arange(len(scene))[:, None]
    points = torch.arange(spot.shape[1])
    own[rows, points, axis[:, None]] = (half[rows[:, 0], axis] * (surface % 2 * 2 - 1))[:, None]
    own[rows, points, (axis[:, None] + 1) % 3] = spot[..., 0]
    own[rows, points, (axis[:, None] + 2) % 3] = spot[..., 1]
    on_face = (own.abs() <= half[:, None]).all(-1)
    placed = _placed(room, own, scene=scene, box=box)
    return Points(placed.scene[on_face.flatten()], placed.place[on_face.flatten()])


def _placed(room: Room, own: Tensor, *, scene: Tensor, box: Tensor) -> Points:
    """From points in boxes' own frames, (boxes, points, 3), to points in rooms."""
    place = own @ room.turned()[scene, box].mT + room.centre[scene, box][:, None]
    return Points(scene.repeat_interleave(own.shape[1]), place.flatten(0, 1))


def bells(view: View, points: Points, *, width: float) -> Float32[Tensor, "scene 1 height width"]:
    """Draw a bell of height 1 around every point that is in the picture and not hidden; the higher bell counts.

    Args:
        view: what is seen.
        points: what to mark.
        width: the bell's standard deviation in pixels.
    """
    height, across = view.size
    seen = view.camera.select(points.scene).project(points.place[:, None])[:, 0]
    inside = (seen[:, :2] > -0.5).all(1) & (seen[:, 0] < across - 0.5) & (seen[:, 1] < height - 0.5) & (seen[:, 2] > 0)
    scene, place, pixel = points.scene[inside], points.place[inside], seen[inside, :2]
    # Rays with the point at length 1; a corner's own faces may be met a little before it or missed.
    reached = cast(view.room.select(scene), place[:, None]).length[:, 0] > 1 - 1e-4
    scene, pixel = scene[reached], pixel[reached]
    reach = int(4 * width) + 1
    offset = torch.arange(-reach, reach + 1)
    near = pixel.round().long()[:, None] + torch.cartesian_prod(offset, offset)
    value = (-(near - pixel[:, None]).square().sum(-1) / (2 * width**2)).exp()
    there = (near >= 0).all(-1) & (near[..., 0] < across) & (near[..., 1] < height)
    number = (scene[:, None] * height + near[..., 1]) * across + near[..., 0]
    heat = torch.zeros(len(view.direction) * height * across, dtype=torch.float64)
    heat.scatter_reduce_(0, number[there], value[there], "amax")
    return heat.view(-1, 1, height, across).float()
