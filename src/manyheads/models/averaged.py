"""The mean of several passes of a model that answers at random: its expectation, to be attacked in its place."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from manyheads.types import Image


class Averaged(nn.Module):
    """A model whose every output is the mean of that of several passes.

    Of a model that draws random numbers at test time, one pass tells an attacker little: attack this one instead
    (expectation over transformation), and evaluate the model itself. It shares the model's weights and follows
    `train()` and `eval()`. All passes are kept for the gradient, so that memory grows with them.

    Args:
        model: any module that maps images to a dict of outputs.
        times: how many passes.

    Raises:
        ValueError: if there is no pass.

    Reference: Athalye et al., ICML 2018, sections 2.4 and 4.2. Differs from it in: the mean is over outputs, logits for
    a classifier, not over losses, so that any objective can be put on it.

    >>> Averaged(nn.ReLU(), times=8).times
    8
    """

    def __init__(self, model: nn.Module, *, times: int) -> None:
        super().__init__()
        if times < 1:
            raise ValueError(f"a mean is of at least one pass, got times={times}")
        self.model = model
        self.times = times
        self.training = model.training

    def forward(self, image: Image) -> dict[str, Tensor]:
        """Return the mean of each output."""
        passes: list[Mapping[str, Tensor]] = [self.model(image) for _ in range(self.times)]
        return {name: torch.stack([outputs[name] for outputs in passes]).mean(0) for name in passes[0]}
