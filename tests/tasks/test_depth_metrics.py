"""Depth errors agree with scikit-learn and with hand-computed cases."""

import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, root_mean_squared_error

from manyheads.tasks import DepthError


def test_scores_agree_with_scikit_learn_over_all_known_pixels() -> None:
    rng = torch.Generator().manual_seed(0)
    output, truth = torch.rand(2, 3, 1, 4, 5, generator=rng).add(0.5)
    truth[0, :, :3] = torch.nan
    depth_error = DepthError()
    depth_error.update(output, truth)
    known = truth.double()[~truth.isnan()], output.double()[~truth.isnan()]
    assert depth_error.scores() == pytest.approx(
        {
            "absolute_error": mean_absolute_error(*known),
            "relative_error": mean_absolute_percentage_error(*known),
            "rmse": root_mean_squared_error(*known),
            "pixels": 45,
        }
    )


def test_every_pixel_weighs_the_same_whatever_its_image() -> None:
    output = torch.tensor([[[[3.0, 9.0]]], [[[2.0, 2.0]]]])
    truth = torch.tensor([[[[2.0, torch.nan]]], [[[4.0, 4.0]]]])
    depth_error = DepthError()
    depth_error.update(output, truth)
    assert depth_error.scores() == pytest.approx(
        {"absolute_error": 5 / 3, "relative_error": 0.5, "rmse": 3**0.5, "pixels": 3}
    )


def test_a_depth_of_zero_is_refused_instead_of_counted() -> None:
    with pytest.raises(ValueError, match=r"above zero metres, got 0\.0; mark unknown depth by NaN"):
        DepthError().update(torch.ones(1, 1, 1, 2), torch.tensor([[[[0.0, 1.0]]]]))
