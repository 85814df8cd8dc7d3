"""Drawn scenes: rendered rooms with exact annotations of every kind, for tests, documents and a first try."""

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from manyheads.data.frames import Frames
from manyheads.data.furnishing import (
    CLASS_NAMES,
    Paint,
    draw_camera,
    draw_light,
    draw_paint,
    draw_room,
    surface_classes,
)
from manyheads.data.ray_casting import FACES
from manyheads.data.view import View, bells, check_corners, corners, look, occlusion_edges, second_colour, texture_edges
from manyheads.randomness import Streams

JUMP = 0.05
"""Least jump of depth, in metres, where one object ends in front of another, that makes an occlusion edge."""

KEYPOINT_WIDTH = 1.0
"""Standard deviation, in pixels, of the bell around a key point."""

_AT_ONCE = 32
_NOISE = 0.01


def drawn_scenes(*, examples: int, size: tuple[int, int] = (48, 64), seed: int = 0) -> Frames:
    """Draw rooms of planes, boxes and balls, seen by a pinhole camera; every annotation is exact.

    Annotations: `segmentation`; `depth` and `euclidean_depth` in metres; `normal` (unit vectors, x right, y down, z
    forward); `reshading`, the cosine between normal and line of sight, for a light at the camera; `curvature`, both
    principal curvatures in 1/m (a ball's are 1/radius, a plane's zero); `intrinsics` (fx, fy, cx, cy in pixels). Of the
    pixels on either side of a border between two neighbours, `occlusion_edges` marks with 1 those where one object ends
    more than `JUMP` in front of another (measured at the very border, found by bisection), `texture_edges` those where
    the paint or the face changes. `keypoints3d` has a bell of height 1 around each visible corner of the room or of a
    box, `keypoints2d` around each of those and around each visible corner of a check.

    Args:
        examples: how many scenes; a scene depends on the seed and its own number alone.
        size: height and width in pixels.
        seed: another one draws other scenes.

    Raises:
        ValueError: if no scene is asked for, or the size is below 2×2.

    >>> frames = drawn_scenes(examples=2, size=(12, 16))
    >>> frames.fetch(torch.tensor([0]))["depth"].shape
    torch.Size([1, 1, 12, 16])
    """
    if examples < 1 or min(size) < 2:
        raise ValueError(f"at least one scene of at least 2×2 pixels is drawn, got {examples} of size {size}")
    streams = Streams.of_examples(torch.arange(examples), seed=seed, stage="drawn scenes")
    parts = [_draw(Streams(seeds), size=size) for seeds in streams.seeds.split(_AT_ONCE)]
    entries = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return Frames(entries.pop("image"), entries, CLASS_NAMES)


def _draw(streams: Streams, *, size: tuple[int, int]) -> dict[str, Tensor]:
    """Image and annotations of some scenes."""
    camera, room, paint = draw_camera(streams, size=size), draw_room(streams), draw_paint(streams)
    view = look(camera, room, size=size)
    hits, distance = view.hits, view.direction.norm(dim=-1)
    facing = (-(hits.normal * view.direction).sum(-1) / distance).clamp(0, 1)
    solid = bells(view, corners(room), width=KEYPOINT_WIDTH)
    flat = bells(view, check_corners(room, paint), width=KEYPOINT_WIDTH)
    return {
        "image": _photograph(view, paint, streams=streams, facing=facing),
        "segmentation": view.planes(surface_classes()[hits.surface]),
        "depth": view.planes(hits.length[..., None]).float(),
        "euclidean_depth": view.planes((hits.length * distance)[..., None]).float(),
        "normal": view.planes(hits.normal @ camera.rotation).float(),
        "reshading": view.planes(facing[..., None]).float(),
        "curvature": view.planes(_bend(view)[..., None].expand(-1, -1, 2)).float(),
        "occlusion_edges": occlusion_edges(view, jump=JUMP),
        "texture_edges": texture_edges(view, paint),
        "keypoints2d": torch.maximum(solid, flat),
        "keypoints3d": solid,
        "intrinsics": camera.intrinsics.float(),
    }


def _bend(view: View) -> Float64[Tensor, "scene pixel"]:
    """Curvature in any direction: 1/radius on a ball, zero elsewhere."""
    flat = torch.zeros(len(view.room.radius), FACES * view.room.boxes, dtype=torch.float64)
    return torch.cat([flat, 1 / view.room.radius], dim=1).gather(1, view.hits.surface)


def _photograph(
    view: View, paint: Paint, *, streams: Streams, facing: Float64[Tensor, "scene pixel"]
) -> UInt8[Tensor, "scene 3 height width"]:
    """Light it by a lamp far above, one at the camera and from everywhere (Lambert), and add a little noise."""
    scene = torch.arange(len(facing))[:, None]
    second = second_colour(paint, view.hits).long()
    colour = paint.colours[scene, view.hits.surface, second]
    lamp = (view.hits.normal * draw_light(streams)[:, None]).sum(-1).clamp(min=0)
    lit = view.planes(colour * (0.3 + 0.4 * lamp + 0.3 * facing)[..., None])
    noisy = lit + _NOISE * streams.fork("noise").normal(3, *view.size)
    return (noisy * 255).round().clamp(0, 255).to(torch.uint8)
