"""Small files in the layouts of the data sets."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

# A slow machine is no failure: no test is judged by its time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Paint = Callable[..., np.ndarray]


@pytest.fixture
def paint() -> Paint:
    """Write an image file of random pixels that depend on the seed; return the pixels."""

    def write(path: Path, *, seed: int = 0, size: tuple[int, int] = (8, 8)) -> np.ndarray:
        width, height = size
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return pixels

    return write
