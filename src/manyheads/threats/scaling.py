"""Raw perturbations made to fit a budget: scaled down as a whole, never up, and added inside [0, 1]."""

import math

import torch

from manyheads.threats.budget import Budget, column
from manyheads.types import Image


def scaled(perturbation: Image, budget: Budget) -> Image:
    """Return `v · min(1, eps / ‖v‖)`, each perturbation v by its own norm: only ever down, its direction kept.

    This is not the projection, which changes the direction: `Budget.shrink` clips in L∞.

    Args:
        perturbation: any image-shaped change, of any size.
        budget: whose norm and eps count.

    Reference: Poursaeed et al., CVPR 2018, section 3; Guo et al. 2020 (MTA), section 3. Differs from them in: nothing.

    >>> from manyheads.threats import Linf
    >>> scaled(torch.tensor([[[[0.5, -1.0]]]]), Linf(0.1))
    tensor([[[[ 0.0500, -0.1000]]]])
    """
    if budget.eps == math.inf:
        return perturbation
    tiny = torch.finfo(perturbation.dtype).tiny
    return perturbation * column(budget.eps / budget.size(perturbation).clamp_min(max(budget.eps, tiny)))


def perturbed(clean: Image, *, raw: Image, budget: Budget) -> Image:
    """Return the images with their perturbations scaled and added, clamped to [0, 1]: always allowed by the budget.

    Args:
        clean: the images, in [0, 1].
        raw: one perturbation per image, of any size.
        budget: which images are allowed.

    Reference: Guo et al. 2020 (MTA), section 3. Differs from it in: the clamp, which only ever shortens a change.
    """
    return (clean + scaled(raw, budget)).clamp(0, 1)
