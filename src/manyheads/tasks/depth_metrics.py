"""Quality of a predicted depth."""

from typing import final

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from manyheads.tasks.losses import known_difference
from manyheads.tasks.metrics import Counter


@final
class DepthError(Counter):
    """Errors of depth over all known pixels of a data set: every pixel weighs the same, whatever its image.

    State: the sums over known pixels of |error| (m), |error| / truth, error² (m²), and of 1.

    Reference: Eigen et al., NeurIPS 2014.

    >>> depth_error = DepthError()
    >>> depth_error.update(torch.full((1, 1, 1, 2), 3.0), torch.tensor([[[[2.0, float("nan")]]]]))
    >>> depth_error.scores()
    {'absolute_error': 1.0, 'relative_error': 0.5, 'rmse': 1.0, 'pixels': 1.0}
    """

    headline = "absolute_error"
    higher_is_better = False

    def __init__(self) -> None:
        super().__init__(states=4)

    def count(
        self, output: Float[Tensor, "batch 1 height width"], truth: Float[Tensor, "batch 1 height width"]
    ) -> Float64[Tensor, "batch 4"]:
        """Return the sums of each example.

        Raises:
            ValueError: if a known depth is not above zero.
        """
        if (truth <= 0).any():
            raise ValueError(
                f"a depth is above zero metres, got {float(truth[truth <= 0].min())}; "
                "mark unknown depth by NaN, not by 0"
            )
        difference, mask = known_difference(output.double(), truth=truth.double())
        error = difference.abs()
        relative = error / truth.double().where(mask[:, None], 1)
        return torch.stack([part.flatten(1).sum(1) for part in (error, relative, error.square(), mask)], dim=1)

    def scores(self) -> dict[str, float]:
        """Return `absolute_error` and `rmse` in metres, `relative_error` as a share of the true depth, and `pixels`.

        `rmse` is the root of the mean square; `pixels` is how many known ones were counted.
        """
        absolute, relative, square, pixels = self.state
        return {
            "absolute_error": float(absolute / pixels),
            "relative_error": float(relative / pixels),
            "rmse": float((square / pixels).sqrt()),
            "pixels": float(pixels),
        }
