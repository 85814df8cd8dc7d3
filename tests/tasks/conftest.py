"""Balls, planes and drawn rooms whose geometry is known exactly."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from manyheads.data import drawn_scenes
from manyheads.tasks.geometry import rays

SIZE = (96, 128)


@pytest.fixture(scope="session")
def camera() -> Tensor:
    """Intrinsics of two cameras, one of them with a principal point off the middle."""
    return torch.tensor([[104.0, 104.0, 63.5, 47.5], [110.0, 100.0, 50.0, 40.0]])


@pytest.fixture(scope="session")
def ball(camera: Tensor) -> Mapping[str, Tensor]:
    """A ball of half a metre radius, two metres away, before nothing: depth and normals, NaN beside it."""
    middle, radius = torch.tensor([0.2, -0.1, 2.0], dtype=torch.float64), 0.5
    sight = rays(camera, size=SIZE).double()
    ahead, length = (sight * middle.view(1, 3, 1, 1)).sum(1), sight.square().sum(1)
    inside = ahead.square() - length * (middle.square().sum() - radius**2)
    depth = ((ahead - inside.clamp(min=0).sqrt()) / length).where(inside > 0, torch.nan)[:, None]
    normal = (depth * sight - middle.view(1, 3, 1, 1)) / radius
    facing = -(normal * sight).sum(1, keepdim=True) / length.sqrt()[:, None]
    return {"depth": depth.float(), "normal": normal.float(), "intrinsics": camera, "facing": facing}


@pytest.fixture(scope="session")
def plane(camera: Tensor) -> Mapping[str, Tensor]:
    """A tilted plane that fills the picture."""
    coefficients = torch.tensor([0.15, 0.25, 0.3])
    depth = 1 / (rays(camera, size=SIZE) * coefficients.view(1, 3, 1, 1)).sum(1, keepdim=True)
    return {"depth": depth, "normal": -coefficients / coefficients.norm(), "intrinsics": camera}


@pytest.fixture(scope="session")
def rooms() -> Mapping[str, Tensor]:
    """Eight drawn scenes."""
    scenes = drawn_scenes(examples=8, size=SIZE, seed=0)
    batch = scenes.fetch(torch.arange(8))
    return batch | {"image": batch["image"].float() / 255}
