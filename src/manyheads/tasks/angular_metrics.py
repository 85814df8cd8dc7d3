"""Quality of predicted surface normals."""

from typing import final

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from manyheads.tasks.losses import known_difference
from manyheads.tasks.metrics import Counter

_BINS_PER_DEGREE = 4
_BINS = 180 * _BINS_PER_DEGREE
_LIMITS = {"within_11_25": 11.25, "within_22_5": 22.5, "within_30": 30.0}


@final
class AngularError(Counter):
    """Angles between predicted and true directions over all known pixels of a data set.

    State: the sum of angles in degrees, the sum of |error| averaged over the channels, and a histogram of the angles in
    720 bins of 0.25°. The mean and the shares are exact; the median is interpolated inside its bin, so it is off by at
    most 0.25°.

    Reference: Fouhey et al., ICCV 2013, and Eigen & Fergus, ICCV 2015 (mean, median, shares within three angles).

    >>> angular_error = AngularError()
    >>> straight, aside = torch.tensor([0.0, 0.0, -2.0]), torch.tensor([1.0, 0.0, 0.0])
    >>> angular_error.update(straight.view(1, 3, 1, 1), aside.view(1, 3, 1, 1))
    >>> angular_error.scores()["mean_angle"]
    90.0
    """

    headline = "mean_angle"
    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(states=2 + _BINS)

    def count(
        self, output: Float[Tensor, "batch 3 height width"], truth: Float[Tensor, "batch 3 height width"]
    ) -> Float64[Tensor, "batch states"]:
        """Return the sums and the histogram of each example; directions may have any length above zero."""
        difference, mask = known_difference(output.double(), truth=truth.double())
        angle = angles(output, truth=truth)
        # A prediction that is not a number spoils the mean for all to see; in the histogram it is as wrong as can be.
        place = (angle.nan_to_num(180.0) * _BINS_PER_DEGREE).long().clamp(max=_BINS - 1)
        example = torch.arange(len(truth), device=truth.device)[:, None, None]
        cell = (example * _BINS + place)[mask]
        histogram = torch.bincount(cell, minlength=len(truth) * _BINS).double().view(len(truth), _BINS)
        sums = [angle.where(mask, 0).flatten(1).sum(1), difference.abs().mean(1).flatten(1).sum(1)]
        return torch.cat([torch.stack(sums, dim=1), histogram], dim=1)

    def scores(self) -> dict[str, float]:
        """Return angles in degrees, shares of pixels in [0, 1] and the mean absolute error.

        `mean_angle`, `median_angle`; `within_11_25`, `within_22_5`, `within_30`: the shares of pixels whose angle is
        below 11.25°, 22.5° and 30°; `l1`: the mean |error| over pixels and channels of the vectors as they are.
        """
        histogram = self.state[2:]
        pixels = histogram.sum()
        below = histogram.cumsum(0) / pixels
        within = {name: float(below[int(limit * _BINS_PER_DEGREE) - 1]) for name, limit in _LIMITS.items()}
        mean = {"mean_angle": float(self.state[0] / pixels), "median_angle": _median(histogram)}
        return {**mean, **within, "l1": float(self.state[1] / pixels)}


def angles(
    output: Float[Tensor, "batch 3 height width"], *, truth: Float[Tensor, "batch 3 height width"]
) -> Float64[Tensor, "batch height width"]:
    """Angle between two directions at each pixel, in degrees; NaN where one is NaN.

    Computed as atan2(|a × b|, a · b), exact for small angles too. A direction of length zero points nowhere: 90°.
    """
    first, second = output.double(), truth.double()
    across, along = torch.linalg.cross(first, second, dim=1).norm(dim=1), (first * second).sum(1)
    nowhere = (across == 0) & (along == 0)
    return torch.rad2deg(torch.atan2(across, along)).masked_fill(nowhere, 90.0)


def _median(histogram: Float64[Tensor, " bins"]) -> float:
    """Find the angle below which half of the pixels lie, by linear interpolation inside its bin."""
    below = histogram.cumsum(0)
    half = below[-1] / 2
    if half == 0:
        return float("nan")
    place = int((below < half).sum())
    inside = (half - below[place] + histogram[place]) / histogram[place]
    return (place + float(inside)) / _BINS_PER_DEGREE
