"""Vulnerability of a segmentation over the number of output pixels that are attacked, each pixel taken as one task.

An attacker of k pixels raises the mean of their losses. With v the mean square of one pixel's gradient and c the mean
inner product of two different pixels' gradients of the same example, Theorem 1 of Mao et al. gives the vulnerability of
k pixels as that of one pixel times `sqrt((1 + (k − 1) c/v) / k)`. We estimate v and c from the gradients of as many
single pixels per example as there are draws, so that the prediction has seen no gradient of several pixels.

Reference: Mao et al., ECCV 2020, sections 4 and 5.3, figure 4a.
"""

from collections.abc import Iterable
from math import sqrt

import polars as pl
import torch
from jaxtyping import Int64
from torch import Tensor, nn

from manyheads.evaluation.gradients import Judged, dual_size, input_gradient
from manyheads.evaluation.pixel_draws import PixelDraws, only
from manyheads.tasks import Task
from manyheads.threats import Budget, in_eval_mode
from manyheads.types import Batch, Image


def pixel_curve(
    model: nn.Module, task: Task, batches: Iterable[Batch], *, budget: Budget, draws: PixelDraws
) -> pl.DataFrame:
    """Measure and predict the vulnerability over the number of output pixels that are attacked together.

    One row per number and draw: `number`, `draw`, `measured` (the mean over examples of the gradient's norm),
    `predicted` (the mean over examples and draws for one pixel, times Theorem 1's factor); then `measured_rms` and
    `predicted_rms`, the same for the root of the mean square, of which the theorem speaks strictly; and `n` examples,
    those that have as many known pixels as the largest number. One forward pass per batch, one backward pass per row
    and single pixel.

    Args:
        model: any module that maps images to a dict of outputs.
        task: a segmentation.
        batches: dict batches with `image` and annotations.
        budget: the attacker's; the norm is the dual of its norm, and its eps does not matter.
        draws: which pixels.

    Raises:
        ValueError: if no example has so many known pixels, or the pixels have no gradient.
    """
    sums = _Sums(numbers=len(draws.numbers), draws=draws.draws)
    for examples in draws.examples(model, task, batches):
        _add(sums, model, task, examples, budget=budget, draws=draws)
    one, one_rms = sums.one_pixel()
    factors = [theorem_factor_alike(number, correlation=sums.correlation()) for number in draws.numbers]
    return pl.DataFrame(
        [
            {
                "number": number, "draw": draw,
                "measured": float(sums.norm[row, draw]) / sums.examples, "predicted": one * factors[row],
                "measured_rms": sqrt(sums.square[row, draw] / sums.examples), "predicted_rms": one_rms * factors[row],
                "n": sums.examples,
            }
            for row, number in enumerate(draws.numbers) for draw in range(draws.draws)
        ]
    )  # fmt: skip


def theorem_factor_alike(number: int, *, correlation: float) -> float:
    """Return Theorem 1's factor for so many tasks of equal variance, every two of them correlated alike.

    >>> theorem_factor_alike(4, correlation=0.0), theorem_factor_alike(4, correlation=1.0)
    (0.5, 1.0)
    """
    return sqrt(max(1 + (number - 1) * correlation, 0) / number)


class _Sums:
    """Sums over the examples: of each subset's norm and squared norm, and of single pixels' inner products."""

    def __init__(self, *, numbers: int, draws: int) -> None:
        self.examples = 0
        self.norm, self.square = torch.zeros(2, numbers, draws, dtype=torch.float64)
        self.one, self.one_square = torch.zeros(2, draws, dtype=torch.float64)
        self.variance, self.covariance = torch.zeros(2, 2, dtype=torch.float64)  # each with the number of its terms

    def add_singles(self, gradients: list[Image], places: Int64[Tensor, "batch draws"], *, budget: Budget) -> None:
        """Add one pixel's gradient per draw, and the inner products of those that are of different pixels."""
        for draw, gradient in enumerate(gradients):
            size = dual_size(gradient, budget).double().cpu()
            self.one[draw] += size.sum()
            self.one_square[draw] += size.square().sum()
        stacked = torch.stack(gradients, dim=1).flatten(2)
        products = (stacked @ stacked.mT).double()
        same = torch.eye(products.shape[1], dtype=torch.bool, device=products.device).expand_as(products)
        other = places[:, :, None] != places[:, None]
        self.variance += torch.stack([products[same].sum(), same.sum()]).cpu()
        self.covariance += torch.stack([products[other].sum(), other.sum()]).cpu()

    def one_pixel(self) -> tuple[float, float]:
        """Return the mean norm of one pixel's gradient, and the root of its mean square."""
        count = self.examples * len(self.one)
        return float(self.one.sum()) / count, sqrt(self.one_square.sum() / count)

    def correlation(self) -> float:
        """Return the covariance of two pixels' gradients over the variance of one.

        Raises:
            ValueError: if the pixels have no gradient, or no two pixels were drawn.
        """
        (variance, ones), (covariance, pairs) = self.variance.tolist(), self.covariance.tolist()
        if not variance > 0 or not pairs:
            raise ValueError(
                f"the covariance of pixels needs gradients and several draws, got a sum of squares of {variance:g} and "
                f"{pairs:.0f} pairs of pixels"
            )
        return (covariance / pairs) / (variance / ones)


def _add(sums: _Sums, model: nn.Module, task: Task, examples: Judged, *, budget: Budget, draws: PixelDraws) -> None:
    """Measure a batch."""
    truth, singles, first = examples.truth[task.name], [], []
    sums.examples += len(truth)
    with torch.inference_mode(mode=False), torch.enable_grad(), in_eval_mode(model):
        image = examples.image.clone().requires_grad_()
        output = model(image)[task.name]

        def gradient(places: Int64[Tensor, "batch chosen"]) -> Image:
            return input_gradient(task.loss(output, only(places, truth)), image, name=task.name)

        for draw in range(draws.draws):
            order = draws.order(truth, examples.index, draw=draw)
            first.append(order[:, 0])
            singles.append(gradient(order[:, :1]))
            for row, number in enumerate(draws.numbers):
                size = dual_size(gradient(order[:, :number]) if number > 1 else singles[-1], budget).double().cpu()
                sums.norm[row, draw] += size.sum()
                sums.square[row, draw] += size.square().sum()
    sums.add_singles(singles, torch.stack(first, dim=1), budget=budget)
