"""Encoders for one image size say so."""

import pytest
import torch

from manyheads.models.encoders.image_size import check_size


def test_the_right_size_passes() -> None:
    check_size(torch.zeros(0, 3, 5, 5), size=5)


@pytest.mark.parametrize(("height", "width"), [(5, 6), (6, 5), (4, 4)])
def test_another_size_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"built for 5×5 pixels, got {height}×{width}; resize"):
        check_size(torch.zeros(1, 3, height, width), size=5)
