"""Angles between normals: mean and shares are exact, the median to a quarter of a degree."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from manyheads.tasks import AngularError
from manyheads.tasks.angular_metrics import angles


def turned(degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Directions turned by these angles, of some length, and those that they are turned from: one pixel each."""
    radians = torch.deg2rad(degrees.double())
    output = torch.stack([radians.sin(), torch.zeros_like(radians), -radians.cos()]).view(1, 3, 1, -1)
    truth = torch.tensor([0.0, 0.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 1, len(degrees))
    return output * 1.7, truth


@given(degrees=st.floats(0, 180))
def test_the_angle_is_the_angle(degrees: float) -> None:
    output, truth = turned(torch.tensor([degrees]))
    assert angles(output, truth=truth).item() == pytest.approx(degrees, abs=1e-5)


def test_the_angle_agrees_with_the_arc_cosine() -> None:
    first, second = torch.randn(2, 4, 3, 5, 6, generator=torch.Generator().manual_seed(0)).double()
    cosine = torch.nn.functional.cosine_similarity(first, second, dim=1)
    torch.testing.assert_close(angles(first, truth=second), torch.rad2deg(cosine.acos()))


@given(seed=st.integers(0, 200), count=st.integers(1, 60))
def test_scores_agree_with_the_sorted_angles(seed: int, count: int) -> None:
    degrees = torch.rand(count, generator=torch.Generator().manual_seed(seed)).double().square() * 180
    output, truth = turned(degrees)
    angular_error = AngularError()
    angular_error.update(output, truth)
    scores = angular_error.scores()
    assert scores["mean_angle"] == pytest.approx(degrees.mean().item())
    ordered = degrees.sort().values
    low, high = ordered[math.ceil(count / 2) - 1].item(), ordered[count // 2].item()
    assert low - 0.25 <= scores["median_angle"] <= high + 0.25
    shares = [(degrees < limit).double().mean().item() for limit in (11.25, 22.5, 30)]
    assert [scores[name] for name in ("within_11_25", "within_22_5", "within_30")] == pytest.approx(shares)


def test_the_median_lies_linearly_inside_its_bin() -> None:
    angular_error = AngularError()
    angular_error.state[2 + 40] = 3
    angular_error.state[2 + 41] = 1
    assert angular_error.scores()["median_angle"] == pytest.approx(10 + 0.25 * 2 / 3)


def test_unknown_pixels_do_not_count_and_l1_is_of_the_vectors_as_they_are() -> None:
    output, truth = torch.zeros(1, 3, 1, 2), torch.full((1, 3, 1, 2), torch.nan)
    output[0, :, 0, 0], truth[0, :, 0, 0] = torch.tensor([0.0, -2.0, 0.0]), torch.tensor([0.0, 0.0, -1.0])
    angular_error = AngularError()
    angular_error.update(output, truth)
    scores = angular_error.scores()
    assert (scores["mean_angle"], scores["l1"]) == (90, 1)


def test_a_prediction_of_length_zero_points_nowhere() -> None:
    assert angles(torch.zeros(1, 3, 1, 1), truth=torch.ones(1, 3, 1, 1)).item() == 90


def test_a_prediction_that_is_not_a_number_spoils_the_mean_and_is_never_right() -> None:
    angular_error = AngularError()
    angular_error.update(torch.full((1, 3, 1, 1), torch.nan), torch.ones(1, 3, 1, 1))
    scores = angular_error.scores()
    assert math.isnan(scores["mean_angle"])
    assert scores["within_30"] == 0
