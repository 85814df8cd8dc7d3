"""Drawn scenes are exact: every annotation agrees with every other one and with the camera."""

import math
import os

import pytest
import torch
from torch import Tensor

from manyheads.data import Frames, Loader, drawn_scenes
from manyheads.data.drawn import JUMP
from manyheads.data.furnishing import CLASS_NAMES

SIZE = (36, 48)
COUNT = 40
DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
ONE_CHANNEL = (
    "depth",
    "euclidean_depth",
    "reshading",
    "occlusion_edges",
    "texture_edges",
    "keypoints2d",
    "keypoints3d",
)


@pytest.fixture(scope="module")
def frames() -> Frames:
    return drawn_scenes(examples=COUNT, size=SIZE, seed=1)


def rays_of(frames: Frames) -> Tensor:
    """Lines of sight, one metre forward."""
    fx, fy, cx, cy = (part[:, None, None] for part in frames.annotations["intrinsics"].T)
    row, column = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    across, down = (column - cx) / fx, (row - cy) / fy
    return torch.stack([across, down, torch.ones_like(across)], dim=1)


def of_class(frames: Frames, name: str) -> Tensor:
    return frames.annotations["segmentation"] == CLASS_NAMES.index(name)


def test_annotations_have_the_shapes_that_tasks_expect(frames: Frames) -> None:
    shapes = {name: tuple(entry.shape[1:]) for name, entry in frames.annotations.items()}
    assert shapes == {
        **dict.fromkeys(ONE_CHANNEL, (1, *SIZE)),
        "segmentation": SIZE,
        "normal": (3, *SIZE),
        "curvature": (2, *SIZE),
        "intrinsics": (4,),
    }
    kinds = {entry.dtype for name, entry in frames.annotations.items() if name != "segmentation"}
    assert kinds == {torch.float32}
    assert frames.annotations["segmentation"].dtype == torch.int64
    assert frames.class_names == CLASS_NAMES


def test_everything_is_known_and_in_its_range(frames: Frames) -> None:
    assert all(entry.isfinite().all() for entry in frames.annotations.values())
    shares = [frames.annotations[name] for name in ONE_CHANNEL[2:]]
    assert all(0 <= float(entry.min()) < float(entry.max()) <= 1 for entry in shares)
    assert 0.5 < float(frames.annotations["depth"].min()) < float(frames.annotations["depth"].max()) < 8


def test_every_class_is_seen(frames: Frames) -> None:
    shares = frames.annotations["segmentation"].flatten().bincount() / (COUNT * math.prod(SIZE))
    assert len(shares) == len(CLASS_NAMES)
    assert float(shares.min()) > 0.01


def test_both_depths_agree_by_the_camera(frames: Frames) -> None:
    distance = frames.annotations["depth"] * rays_of(frames).norm(dim=1, keepdim=True)
    assert torch.allclose(distance, frames.annotations["euclidean_depth"], rtol=1e-5)


def test_normals_are_those_of_the_surface_through_the_points(frames: Frames) -> None:
    points = rays_of(frames) * frames.annotations["depth"]
    right, below = points[..., :-1, 1:] - points[..., :-1, :-1], points[..., 1:, :-1] - points[..., :-1, :-1]
    found = torch.nn.functional.normalize(torch.linalg.cross(below, right, dim=1), dim=1)
    normal = frames.annotations["normal"]
    here, beside, under = normal[..., :-1, :-1], normal[..., :-1, 1:], normal[..., 1:, :-1]
    # Three neighbours on one face: same class, same direction, no jump between.
    one_face = ((here == beside) & (here == under)).all(1)
    edges = frames.annotations["occlusion_edges"][:, 0, :-1, :-1] > 0
    angle = (
        (found * here).sum(1).clamp(-1, 1).acos().rad2deg()[one_face & ~edges & ~of_class(frames, "box")[:, :-1, :-1]]
    )
    assert len(angle) > COUNT * 300
    assert float(angle.max()) < 0.1
    assert torch.allclose(normal.norm(dim=1), torch.ones(1))


def test_reshading_is_the_light_of_a_lamp_at_the_camera(frames: Frames) -> None:
    rays = rays_of(frames)
    facing = -(frames.annotations["normal"] * rays).sum(1, keepdim=True) / rays.norm(dim=1, keepdim=True)
    assert torch.allclose(facing, frames.annotations["reshading"], atol=1e-5)


def test_planes_are_flat_and_balls_bend_as_much_in_every_direction(frames: Frames) -> None:
    first, second = frames.annotations["curvature"].unbind(1)
    on_ball = of_class(frames, "ball")
    assert torch.equal(first, second)
    assert torch.equal(first > 0, on_ball)
    assert 1 / 0.4 - 1e-6 <= float(first[on_ball].min()) < float(first[on_ball].max()) <= 1 / 0.15 + 1e-6


def test_the_points_of_a_ball_are_as_far_from_its_middle_as_its_curvature_says(frames: Frames) -> None:
    points, normal = rays_of(frames) * frames.annotations["depth"], frames.annotations["normal"]
    middle = points - normal / frames.annotations["curvature"][:, :1]
    pairs = of_class(frames, "ball")[:, :, 1:] & of_class(frames, "ball")[:, :, :-1]
    pairs &= frames.annotations["occlusion_edges"][:, 0, :, 1:] == 0
    apart = (middle[..., 1:] - middle[..., :-1]).norm(dim=1)[pairs]
    assert len(apart) > 100
    assert float(apart.max()) < 1e-4


def test_floors_look_up_and_ceilings_down(frames: Frames) -> None:
    up = frames.annotations["normal"][:, 1]
    assert (up[of_class(frames, "floor")] < -0.9).all()
    assert (up[of_class(frames, "ceiling")] > 0.9).all()


def test_things_in_front_of_others_are_edged(frames: Frames) -> None:
    depth, edges = frames.annotations["depth"][:, 0], frames.annotations["occlusion_edges"][:, 0] > 0
    classes = frames.annotations["segmentation"]
    far = (depth[:, :, 1:] - depth[:, :, :-1]).abs() > 20 * JUMP
    marked = (edges[:, :, 1:] & edges[:, :, :-1])[far & (classes[:, :, 1:] != classes[:, :, :-1])]
    assert len(marked) > 100
    assert float(marked.float().mean()) > 0.95  # the others touch along a side that is seen at a very flat angle
    assert 0.01 < float(edges.float().mean()) < 0.3


def test_the_image_changes_at_texture_edges(frames: Frames) -> None:
    image = frames.images.float().mean(1) / 255
    edges = frames.annotations["texture_edges"][:, 0] > 0
    step = (image[:, :, 1:] - image[:, :, :-1]).abs()
    marked = edges[:, :, 1:] & edges[:, :, :-1]
    assert float(step[marked].mean()) > 3 * float(step[~marked].mean())
    assert float((step[~marked] > 0.1).float().mean()) < 0.01


def test_corners_of_things_are_corners_of_the_picture_as_well(frames: Frames) -> None:
    flat, solid = frames.annotations["keypoints2d"], frames.annotations["keypoints3d"]
    assert (flat >= solid).all()
    assert float(flat.sum()) > 1.5 * float(solid.sum())


def test_a_scene_depends_on_its_number_and_the_seed_alone(frames: Frames) -> None:
    few, other = drawn_scenes(examples=3, size=SIZE, seed=1), drawn_scenes(examples=3, size=SIZE, seed=2)
    assert torch.equal(few.images, frames.images[:3])
    assert all(torch.equal(entry, frames.annotations[name][:3]) for name, entry in few.annotations.items())
    assert not torch.equal(other.annotations["depth"], few.annotations["depth"])
    assert frames.images.flatten(1).unique(dim=0).shape[0] == COUNT


def test_the_same_scene_is_drawn_in_every_size() -> None:
    small, large = (drawn_scenes(examples=4, size=(side, side)) for side in (15, 45))
    middles = (slice(None), slice(None), slice(1, None, 3), slice(1, None, 3))
    same = large.annotations["depth"][middles], small.annotations["depth"]
    assert float(((same[0] - same[1]).abs() < 1e-3).float().mean()) > 0.99


def test_a_linear_map_of_colour_and_place_tells_things_apart() -> None:
    def features(source: Frames) -> tuple[Tensor, Tensor]:
        batch = next(iter(Loader(source, batch_size=len(source))))
        row = torch.linspace(-1, 1, SIZE[0])[None, None, :, None].expand(len(source), 1, *SIZE)
        columns = torch.cat([batch["image"], row, torch.ones_like(row)], dim=1)
        return columns.movedim(1, -1).flatten(0, 2).to(DEVICE), batch["segmentation"].flatten().to(DEVICE)

    known, truth = features(drawn_scenes(examples=COUNT, size=SIZE, seed=1))
    new, wanted = features(drawn_scenes(examples=COUNT, size=SIZE, seed=2))
    wall = CLASS_NAMES.index("wall")
    weights = torch.linalg.lstsq(known, torch.nn.functional.one_hot(truth).float()).solution
    accuracy = ((new @ weights).argmax(1) == wanted).float().mean()
    assert float(accuracy) > float((wanted == wall).float().mean()) + 0.05


@pytest.mark.parametrize(("examples", "size"), [(0, (8, 8)), (1, (1, 8)), (1, (8, 1))])
def test_no_scene_and_no_picture_are_refused(examples: int, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one scene of at least 2×2 pixels is drawn, got"):
        drawn_scenes(examples=examples, size=size)
