"""The fast path: search on a faster copy of the model, believe nothing but the model itself."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from manyheads.attacks.attack import Attack, Loss
from manyheads.attacks.raising import answered
from manyheads.models import Acceleration
from manyheads.randomness import Streams
from manyheads.threats import Budget, column
from manyheads.types import Flags, Image, PerExample


@runtime_checkable
class AcceleratedLoss(Loss, Protocol):
    """A loss that can be had on a faster copy of its model; `manyheads.threats.Loss` is one."""

    def accelerated(self, how: Acceleration, *, example: Image) -> Loss:
        """Return the same loss on a faster copy of the model, which was tried on the example."""
        ...


@dataclass(frozen=True)
class Fast(Attack):
    """An attack that searches on a faster copy of the model; what it finds counts as far as the model itself says so.

    The copy has its batch norms folded, its channels last, and multiplies in bfloat16 where the device has units for
    it. It is made once for a model, and again when the model has changed. Of each image that is found, loss and success
    are measured on the model: it is kept if it wins, or if it beats the clean image where neither does. Examples that
    the copy took for won and the model does not are attacked again on the model, with the same random numbers.

    What the copy does not find is not searched for again: where no strength at all may be lost, `WorstOf((Fast(attack),
    attack))` attacks the survivors on the model too. Minimal attacks such as `CW` end where rounding decides who has
    won, so that in bfloat16 most of their work is done twice. Training changes the model at every step, and so the copy
    is made at every step: nothing is gained there.

    Args:
        attack: the search.
        how: what is done to the copy.

    >>> from manyheads.attacks import PGD
    >>> Fast(PGD(steps=40)).attack
    PGD(steps=40, step_size=0.01, random_start=True)
    """

    attack: Attack
    how: Acceleration = field(default_factory=Acceleration)

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Search on the copy and judge on the model.

        Raises:
            TypeError: if the loss offers no faster copy.
            ValueError: if the model cannot be copied.
        """
        fast = _accelerable(loss).accelerated(self.how, example=clean[:1])
        found = self.attack(fast, clean, budget, rng=rng)
        with torch.autocast(device_type=clean.device.type, enabled=False):
            kept, lost = _kept(loss, found, other=clean)
            if loss.knows_success and len(lost):
                mistaken = lost[fast.select(lost).won(found[lost])]
                if len(mistaken):
                    part, streams = loss.select(mistaken), rng.select(mistaken)
                    again = self.attack(part, clean[mistaken], budget, rng=streams)
                    kept[mistaken], _ = _kept(part, again, other=kept[mistaken])
        return kept


def _accelerable(loss: Loss) -> AcceleratedLoss:
    if not isinstance(loss, AcceleratedLoss):
        raise TypeError(
            f"this attack searches on a faster copy of the model, which {type(loss).__name__} does not offer; give it "
            "a loss with accelerated(how, example=...), as ThreatModel.loss(batch) makes it, or attack without Fast"
        )
    return loss


def _kept(loss: Loss, found: Image, *, other: Image) -> tuple[Image, Tensor]:
    """Return the images that are found, or the others where these are as good; and which of the found ones do not win.

    An image that wins beats one that does not; else the one of higher loss does.
    """
    won, value = _judged(loss, found)
    lost = (~won).nonzero()[:, 0]
    if not len(lost):
        return found, lost
    other_won, other_value = _judged(loss.select(lost), other[lost])
    better = (value[lost] > other_value) & ~other_won
    kept = found.clone()
    kept[lost] = torch.where(column(better), found[lost], other[lost])
    return kept, lost


@torch.no_grad()
def _judged(loss: Loss, image: Image) -> tuple[Flags, PerExample]:
    """Return which images win, none where nobody says, and their losses; one pass through the model."""
    answer = answered(loss, image)
    value = answer(image)
    won = answer.won(image) if loss.knows_success else torch.zeros_like(value, dtype=torch.bool)
    return won, value
