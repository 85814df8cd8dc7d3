"""The boundaries of what wins: each with the distance to its linear model, the nearest with its gradient."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch

from manyheads import threats
from manyheads.attacks.attack import Loss
from manyheads.attacks.derivative import gradients
from manyheads.attacks.raising import answered
from manyheads.threats import Budget, Objective, column
from manyheads.types import Flags, Image, PerExample


def faces(loss: Loss, image: Image) -> Sequence[PerExample]:
    """Return the functions of which the success is the greatest, for example each wrong class's lead; one pass.

    Where the success is not made of parts, it is the only one.

    Raises:
        ValueError: if the threat model does not say when the attacker has won.
    """
    answer = answered(loss, image)
    if isinstance(answer, threats.Loss) and isinstance(answer.success, Objective):
        return [replace(answer, success=part).margin(image) for part in answer.success.parts]
    return [answer.margin(image)]


@dataclass(frozen=True, eq=False)
class Face:
    """One boundary per example, as it looks from an image: `gap + slope · change` is zero on it, to first order."""

    gap: PerExample
    slope: Image

    def seen_from(self, other: Image, *, instead_of: Image) -> PerExample:
        """Return the gap at another image, by the same linear function."""
        return self.gap + (self.slope * (other - instead_of)).flatten(1).sum(1)

    def replaced_by(self, other: "Face", *, where: Flags) -> "Face":
        """Exchange the faces of some examples for others."""
        gap = torch.where(where, other.gap, self.gap)
        return Face(gap, torch.where(column(where), other.slope, self.slope))


def nearest_face(loss: Loss, image: Image, *, budget: Budget) -> Face:
    """Return the face whose linear model is nearest in the budget's norm: that of least |gap| / dual norm of slope.

    Args:
        loss: says who wins.
        image: where the boundaries are looked at.
        budget: names the norm; its eps does not matter.

    Raises:
        ValueError: if the threat model does not say when the attacker has won, or that has no gradient.
    """
    best, distance = None, image.new_full((len(image),), torch.inf)
    for value, gradient in gradients(lambda image: faces(loss, image), image):
        # The dual norm: how fast the steepest direction of size one climbs.
        climb = (gradient * budget.steepest(gradient)).flatten(1).sum(1)
        far = torch.where(climb > 0, value.abs() / climb.clamp_min(torch.finfo(climb.dtype).tiny), torch.inf)
        closer = far < distance
        distance = torch.where(closer, far, distance)
        face = Face(value, gradient)
        best = face if best is None else best.replaced_by(face, where=closer)
    return cast("Face", best)  # a success has at least one part
