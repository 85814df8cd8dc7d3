"""Gaussians agree with SciPy."""

import pytest
import torch
from scipy.ndimage import gaussian_filter

from manyheads.tasks.smoothing import gaussian


@pytest.mark.parametrize("order", [(0, 0), (0, 1), (1, 0), (2, 0), (0, 2), (1, 1)])
@pytest.mark.parametrize("sigma", [0.7, 1.5])
def test_gaussians_and_their_derivatives_agree_with_scipy(sigma: float, order: tuple[int, int]) -> None:
    field = torch.rand(2, 3, 11, 14, generator=torch.Generator().manual_seed(0)).double()
    expected = gaussian_filter(
        field.numpy(),
        sigma,
        order=(0, 0, *order),
        mode="nearest",
        axes=(0, 1, 2, 3),
        radius=(0, 0, *[int(4 * sigma + 0.5)] * 2),
    )
    torch.testing.assert_close(
        gaussian(field, sigma=sigma, order=order), torch.from_numpy(expected), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_a_gaussian_without_width_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match="standard deviation is above zero pixels"):
        gaussian(torch.zeros(1, 1, 3, 3), sigma=sigma)
