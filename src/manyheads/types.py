"""The shapes that every layer speaks of."""

from collections.abc import Mapping

from jaxtyping import Bool, Float
from torch import Tensor

Image = Float[Tensor, "batch channel height width"]
"""Pixels in [0, 1]; budgets are in the same units."""

PerExample = Float[Tensor, " batch"]
"""One number per example: losses, norms and margins keep this shape until the caller reduces them."""

Flags = Bool[Tensor, " batch"]
"""One yes or no per example."""

Batch = Mapping[str, Tensor]
"""What a loader yields: `image`, `index` and annotations by name."""

Outputs = Mapping[str, Tensor]
"""What a model returns: one entry per task name."""

Truth = Mapping[str, Tensor]
"""What the tasks make of a batch's annotations: one entry per task name."""
