"""Images that would not line up with their maps again are refused, with a size that fits."""

import pytest
import torch

from manyheads.models.encoders import check_sides


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (336, 680)])
def test_multiples_of_the_stride_pass(height: int, width: int) -> None:
    check_sides(torch.zeros(1, 3, height, width), stride=8)


@pytest.mark.parametrize(
    ("height", "width", "found", "fitting"),
    [(64, 90, "64×90", "64×64"), (100, 96, "100×96", "96×96"), (31, 65, "31×65", "32×64")],
)
def test_other_sides_are_refused_and_a_fitting_size_is_named(height: int, width: int, found: str, fitting: str) -> None:
    with pytest.raises(ValueError, match=f"multiples of 32, got {found}; crop or resize it, to {fitting} for example"):
        check_sides(torch.zeros(1, 3, height, width), stride=32)
