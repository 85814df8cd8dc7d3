"""Fixed upsampling interpolates exactly, is not trained, and agrees with torch's own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from manyheads.models import BilinearUpsampling, PixelDecoder


def inner(image: torch.Tensor, *, margin: int) -> torch.Tensor:
    """The image without its border."""
    return image[..., margin:-margin, margin:-margin]


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_linear_ramp_stays_linear_inside(scale: int) -> None:
    rows, columns = torch.arange(5.0), torch.arange(6.0)
    coarse = (2 * rows[:, None] - 3 * columns + 1)[None, None]
    # The centre of fine pixel i lies at (i + 1/2) / scale − 1/2 in pixels of the coarse map.
    fine_rows, fine_columns = ((torch.arange(count * scale) + 0.5) / scale - 0.5 for count in (5, 6))
    expected = (2 * fine_rows[:, None] - 3 * fine_columns + 1)[None, None]
    found = BilinearUpsampling(scale)(coarse)
    assert found.shape == expected.shape
    torch.testing.assert_close(inner(found, margin=scale // 2), inner(expected, margin=scale // 2))


@given(
    scale=st.sampled_from([2, 4, 6, 8]),
    sides=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    channels=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_it_interpolates_like_torch_between_zeros(scale: int, sides: tuple[int, int], channels: int, seed: int) -> None:
    coarse = torch.randn(2, channels, *sides, generator=torch.Generator().manual_seed(seed))
    padded = nn.functional.pad(coarse, (1, 1, 1, 1))
    expected = nn.functional.interpolate(padded, scale_factor=scale, mode="bilinear", align_corners=False)
    torch.testing.assert_close(BilinearUpsampling(scale)(coarse), inner(expected, margin=scale))


def test_nothing_is_trained_and_nothing_is_written() -> None:
    upsampling = BilinearUpsampling(8)
    assert not list(upsampling.parameters())
    assert not upsampling.state_dict()
    assert upsampling.kernel.shape == (16, 16)


def test_the_fixed_kernel_follows_the_weights_type() -> None:
    decoder = PixelDecoder(2, channels=1).double()
    assert decoder(torch.rand(1, 2, 2, 2, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize("scale", [0, 1, 3, -2])
def test_a_scale_that_has_no_such_kernel_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match=f"even number from 2 on, got {scale}"):
        BilinearUpsampling(scale)


def test_the_pixel_decoder_reads_each_place_alone_then_enlarges() -> None:
    decoder = PixelDecoder(4, channels=3, scale=4)
    features = torch.rand(2, 4, 3, 5)
    assert decoder(features).shape == (2, 3, 12, 20)
    assert torch.equal(decoder(features), BilinearUpsampling(4)(decoder.layers[0](features)))
    assert sum(parameter.numel() for parameter in decoder.parameters()) == 5 * 3
