"""Furnishing: rooms, cameras, paints and light drawn at random, each scene by its own stream."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from manyheads.data.ray_casting import FACES, Camera, Room
from manyheads.randomness import Streams

CLASS_NAMES = ("floor", "ceiling", "wall", "box", "ball")
"""Names of what a pixel of a drawn scene can show, in the order of the classes."""

BOXES, BALLS = 3, 2
"""The most boxes and balls of a scene."""

PLAIN, STRIPES, CHECKS = 0, 1, 2
"""Kinds of paint."""

_USUAL_COLOUR = ((0.55, 0.40, 0.25), (0.85, 0.85, 0.85), (0.70, 0.68, 0.50), (0.25, 0.40, 0.70), (0.75, 0.25, 0.25))


@dataclass(frozen=True, eq=False)
class Paint:
    """What each surface is painted with; surfaces are numbered as in `ray_casting.Hits`.

    Args:
        kind: `PLAIN`, `STRIPES` across the first axis of a face, or `CHECKS`; balls have no checks.
        period: width of a stripe or a check, in metres.
        start: where the first stripe or check begins, in metres from the middle of the face.
        colours: the two colours, linear, in [0, 1]; plain surfaces have the first.
    """

    kind: Int64[Tensor, "scene surface"]
    period: Float64[Tensor, "scene surface"]
    start: Float64[Tensor, "scene surface 2"]
    colours: Float64[Tensor, "scene surface 2 3"]


def surface_classes() -> Int64[Tensor, " surface"]:
    """Tell the class of every surface of a scene: the room's faces first, then the boxes', then the balls."""
    wall, ceiling, floor = (CLASS_NAMES.index(name) for name in ("wall", "ceiling", "floor"))
    room = [wall, wall, ceiling, floor, wall, wall]  # y points down: the floor is on its positive side
    return torch.tensor(room + [CLASS_NAMES.index("box")] * FACES * BOXES + [CLASS_NAMES.index("ball")] * BALLS)


def draw_camera(streams: Streams, *, size: tuple[int, int]) -> Camera:
    """Turn a camera of about 60° width at random: to the sides by up to 29°, down by up to 20°, tilted by up to 3°."""
    height, width = size
    focal, ratio, across, down, yaw, pitch, roll = _between(
        streams.fork("camera"), (0.8, 1.0), (0.96, 1.04), (-0.03, 0.03), (-0.03, 0.03), (-0.5, 0.5), (-0.05, 0.35),
        (-0.05, 0.05),
    )  # fmt: skip
    centre = ((width - 1) / 2 + across * width, (height - 1) / 2 + down * height)
    intrinsics = torch.stack([focal * width, focal * ratio * width, *centre], dim=-1)
    return Camera(intrinsics, _turn(yaw, axis=1) @ _turn(-pitch, axis=0) @ _turn(roll, axis=2))


def draw_room(streams: Streams) -> Room:
    """Furnish rooms about 5 m wide and 2.5 m high with 1 to 3 boxes on the floor and 1 or 2 balls, some in the air."""
    left, right, ceiling, floor, behind, ahead = _between(
        streams.fork("room"), (-3.0, -2.0), (2.0, 3.0), (-1.4, -1.0), (1.2, 1.7), (-1.0, -0.5), (3.5, 6.0)
    )
    low, high = torch.stack([left, ceiling, behind], dim=-1), torch.stack([right, floor, ahead], dim=-1)
    centre, half, yaw = [(low + high) / 2], [(high - low) / 2], [torch.zeros_like(left)]
    for number in range(BOXES):
        there, forward, side, wide, tall, deep, turn = _between(
            streams.fork(f"box {number}"), (0.0, 1.0), (1.6, 4.5), (-0.5, 0.5), (0.15, 0.5), (0.1, 0.6), (0.15, 0.5),
            (-1.6, 1.6),
        )  # fmt: skip
        aside = (side * forward).clamp(left + 0.75, right - 0.75)
        forward = forward.clamp(max=ahead - 0.75)
        size = torch.stack([wide, tall, deep], dim=-1) * (there > 0.3 * number)[:, None]
        centre.append(torch.stack([aside, floor - tall, forward], dim=-1))
        half.append(size)
        yaw.append(turn)
    balls, radii = [], []
    for number in range(BALLS):
        there, forward, side, radius, above = _between(
            streams.fork(f"ball {number}"), (0.0, 1.0), (1.4, 3.2), (-0.45, 0.45), (0.15, 0.4), (-1.0, 1.0)
        )
        height = floor - radius - above.clamp(min=0) * 1.2
        balls.append(torch.stack([side * forward, height, forward], dim=-1))
        radii.append(radius * (there > 0.5 * number))
    return Room(*(torch.stack(parts, dim=1) for parts in (centre, half, yaw, balls, radii)))


def draw_paint(streams: Streams) -> Paint:
    """Paint every surface: about its class' usual colour, a third each plain, striped and checked (a ball not so)."""
    classes = surface_classes()
    count = len(classes)
    on_ball = classes == CLASS_NAMES.index("ball")
    kind = (streams.fork("kind").uniform(count) * 3).long()
    kind = torch.where(on_ball & (kind == CHECKS), STRIPES, kind)
    wide = torch.arange(count) < FACES  # the room's own faces
    stretch = streams.fork("period").uniform(count).double()
    period = torch.where(wide, 0.5 + 0.4 * stretch, 0.15 + 0.15 * stretch)
    start = streams.fork("start").uniform(count, 2).double() * period[..., None]
    usual = torch.tensor(_USUAL_COLOUR, dtype=torch.float64)[classes][:, None]
    own = usual + 0.5 * (streams.fork("colour").uniform(count, 2, 3).double() - 0.5)
    # The second colour is darker or lighter throughout, so that the pattern shows in grey as well.
    second = torch.where(own[:, :, :1].mean(-1, keepdim=True) > 0.5, own[:, :, 1:] * 0.5, own[:, :, 1:] * 0.5 + 0.5)
    return Paint(kind, period, start, torch.cat([own[:, :, :1], second], dim=2).clamp(0.02, 1))


def draw_light(streams: Streams) -> Float64[Tensor, "scene 3"]:
    """Draw unit vectors towards a far light above, in the room's frame."""
    across, ahead = _between(streams.fork("light"), (-1.0, 1.0), (-1.5, 0.3))
    return torch.nn.functional.normalize(torch.stack([across, -torch.ones_like(across), ahead], dim=-1), dim=-1)


def _between(streams: Streams, *ranges: tuple[float, float]) -> list[Tensor]:
    """One number of each range for every scene."""
    drawn = streams.uniform(len(ranges)).double()
    return [low + (high - low) * drawn[:, place] for place, (low, high) in enumerate(ranges)]


def _turn(angle: Tensor, *, axis: int) -> Tensor:
    """Rotations about one axis, the next axis towards the one after it."""
    rotation = torch.eye(3, dtype=torch.float64).repeat(len(angle), 1, 1)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation[:, first, first] = rotation[:, second, second] = angle.cos()
    rotation[:, first, second], rotation[:, second, first] = -angle.sin(), angle.sin()
    return rotation
