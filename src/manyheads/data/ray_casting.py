"""Ray casting: where rays from a pinhole camera meet the walls, boxes and balls of a room, exactly.

All frames have x to the right, y down and z forward. The room's frame has its origin at the camera; the camera may be
turned in it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

FACES = 6
"""Faces of a box: 2 axis + (1 on the axis' positive side, else 0); axis 1 is the vertical one."""


@dataclass(frozen=True, eq=False)
class Camera:
    """One pinhole camera per scene, at the origin.

    Args:
        intrinsics: fx, fy, cx, cy in pixels; pixel centres at whole numbers.
        rotation: turns directions of the camera's frame into the room's.
    """

    intrinsics: Float64[Tensor, "scene 4"]
    rotation: Float64[Tensor, "scene 3 3"]

    def rays(self, pixel: Float64[Tensor, "scene ray 2"]) -> Float64[Tensor, "scene ray 3"]:
        """Directions in the room's frame through pixels (x, y), one metre forward: lengths along them are depths."""
        focal, centre = self.intrinsics[:, None, :2], self.intrinsics[:, None, 2:]
        ahead = torch.nn.functional.pad((pixel - centre) / focal, (0, 1), value=1)
        return ahead @ self.rotation.mT

    def project(self, point: Float64[Tensor, "scene point 3"]) -> Float64[Tensor, "scene point 3"]:
        """Pixel (x, y) and depth in metres of points in the room; pixels mean nothing behind the camera."""
        seen = point @ self.rotation
        pixel = seen[..., :2] / seen[..., 2:] * self.intrinsics[:, None, :2] + self.intrinsics[:, None, 2:]
        return torch.cat([pixel, seen[..., 2:]], dim=-1)

    def select(self, rows: Int64[Tensor, " rows"]) -> "Camera":
        """Cameras of some scenes, once for every time they are named."""
        return Camera(self.intrinsics[rows], self.rotation[rows])


@dataclass(frozen=True, eq=False)
class Room:
    """What one camera per scene stands in front of. Lengths are in metres.

    Args:
        centre: middles of the boxes; box 0 is the room itself, seen from inside.
        half: half the boxes' lengths along their own axes; a box of length zero is not there.
        yaw: how far each box is turned about the vertical axis, in radians.
        ball_centre: middles of the balls.
        radius: their radii; a ball of radius zero is not there.
    """

    centre: Float64[Tensor, "scene box 3"]
    half: Float64[Tensor, "scene box 3"]
    yaw: Float64[Tensor, "scene box"]
    ball_centre: Float64[Tensor, "scene ball 3"]
    radius: Float64[Tensor, "scene ball"]

    @property
    def boxes(self) -> int:
        """Count the boxes of a scene, the room included."""
        return self.yaw.shape[1]

    def turned(self) -> Float64[Tensor, "scene box 3 3"]:
        """Rotations from each box's own frame into the room's."""
        cos, sin, zero = self.yaw.cos(), self.yaw.sin(), torch.zeros_like(self.yaw)
        rows = [cos, zero, sin, zero, zero + 1, zero, -sin, zero, cos]
        return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))

    def select(self, rows: Int64[Tensor, " rows"]) -> "Room":
        """Rooms of some scenes, once for every time they are named."""
        parts = (self.centre, self.half, self.yaw, self.ball_centre, self.radius)
        return Room(*(part[rows] for part in parts))


@dataclass(frozen=True, eq=False)
class Hits:
    """What each ray meets first.

    Args:
        length: how far along the ray, in lengths of its direction.
        surface: 6 box + face for the face of a box, 6 boxes + ball for a ball.
        normal: unit vectors in the room's frame, towards the camera's side.
        spot: where on the face, in metres along its two axes from the middle; on a ball how far below it, and 0.
    """

    length: Float64[Tensor, "scene ray"]
    surface: Int64[Tensor, "scene ray"]
    normal: Float64[Tensor, "scene ray 3"]
    spot: Float64[Tensor, "scene ray 2"]


def cast(room: Room, direction: Float64[Tensor, "scene ray 3"]) -> Hits:
    """Follow rays from the origin, which must lie in the room and in no other box or ball, to what they meet first."""
    turned = room.turned()
    box_length, box_axis, along, start = _meet_boxes(room, direction, turned=turned)
    ball_length = _meet_balls(room, direction)
    length, thing = torch.cat([box_length, ball_length], dim=-1).min(-1)
    box = thing.clamp(max=room.boxes - 1)
    axis = _pick(box_axis[..., None], box)[..., 0]
    own_direction, own_start = _pick(along, box), _pick(start.expand_as(along), box)
    forward = own_direction.gather(-1, axis[..., None])[..., 0] > 0
    positive = forward == (box == 0)  # rays leave the room through the face ahead, and enter a box by the near one
    local = own_start + own_direction * length[..., None]
    facing = torch.nn.functional.one_hot(axis, 3).double() * torch.where(forward, -1.0, 1.0)[..., None]
    scene = torch.arange(len(direction), device=direction.device)[:, None]
    box_normal = (turned[scene, box] @ facing[..., None])[..., 0]
    ball = (thing - room.boxes).clamp(min=0)
    outward = direction * length[..., None] - room.ball_centre[scene, ball]
    ball_normal = outward / room.radius[scene, ball].clamp(min=1e-9)[..., None]
    on_ball = thing >= room.boxes
    places = torch.stack([(axis + 1) % 3, (axis + 2) % 3], dim=-1)
    below = torch.nn.functional.pad(outward[..., 1:2], (0, 1))
    return Hits(
        length,
        torch.where(on_ball, FACES * room.boxes + ball, FACES * box + 2 * axis + positive),
        torch.where(on_ball[..., None], ball_normal, box_normal),
        torch.where(on_ball[..., None], below, local.gather(-1, places)),
    )


def _meet_boxes(room: Room, direction: Tensor, *, turned: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Lengths to every box (infinite where missed) and axes of the faces met there; directions, start in its frame.

    Reference: the slab method (Kay & Kajiya, SIGGRAPH 1986).
    """
    along = torch.einsum("srw,sbwl->srbl", direction, turned)
    start = torch.einsum("sbw,sbwl->sbl", -room.centre, turned)[:, None]
    # Along an axis that a ray is parallel to, both are infinite: of unlike sign where the ray stays inside.
    low, high = (-room.half[:, None] - start) / along, (room.half[:, None] - start) / along
    enter, enter_axis = torch.minimum(low, high).max(-1)
    leave, leave_axis = torch.maximum(low, high).min(-1)
    length = torch.where((enter < leave) & (enter > 0), enter, torch.inf)
    length[..., 0] = leave[..., 0]
    enter_axis[..., 0] = leave_axis[..., 0]
    return length, enter_axis, along, start


def _meet_balls(room: Room, direction: Tensor) -> Tensor:
    """Lengths to every ball, infinite where it is missed: the smaller root of the quadratic equation."""
    square = direction.square().sum(-1)[..., None]
    ahead = direction @ room.ball_centre.mT
    rest = (room.ball_centre.square().sum(-1) - room.radius.square())[:, None]
    inside = ahead.square() - square * rest
    there = (inside > 0) & (ahead > 0) & (room.radius > 0)[:, None]
    return torch.where(there, (ahead - inside.clamp(min=0).sqrt()) / square, torch.inf)


def _pick(entries: Tensor, box: Tensor) -> Tensor:
    """Take of every ray the entry of one box."""
    places = box[..., None, None].expand(*box.shape, 1, entries.shape[-1])
    return entries.gather(2, places)[:, :, 0]
