"""The mean absolute error counts every known number once."""

import pytest
import torch
from sklearn.metrics import mean_absolute_error

from manyheads.tasks import AbsoluteError


def test_l1_agrees_with_scikit_learn_over_known_pixels_and_channels() -> None:
    output, truth = torch.randn(2, 3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    truth[1, :, 2:] = torch.nan
    absolute_error = AbsoluteError()
    absolute_error.update(output, truth)
    known = ~truth.isnan()
    expected = mean_absolute_error(truth.double()[known], output.double()[known])
    assert absolute_error.scores()["l1"] == pytest.approx(expected)


def test_a_pixel_with_one_unknown_channel_is_unknown() -> None:
    absolute_error = AbsoluteError()
    absolute_error.update(torch.ones(1, 2, 1, 2), torch.tensor([[[[0.0, 0.0]], [[torch.nan, 0.0]]]]))
    assert absolute_error.state.tolist() == [2, 2]
