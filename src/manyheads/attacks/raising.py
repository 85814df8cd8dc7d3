"""Attacks that raise something other than the threat model's own objective; who has won stays as it was."""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from manyheads import threats
from manyheads.attacks.attack import Attack, Loss
from manyheads.randomness import Streams
from manyheads.threats import Budget, Objective
from manyheads.types import Image, Outputs


def opened(loss: Loss) -> threats.Loss:
    """Return the same loss, known to consist of a model, an objective, a success and a truth.

    Raises:
        TypeError: if it is a loss of one's own, whose parts are unknown.
    """
    if not isinstance(loss, threats.Loss):
        raise TypeError(
            f"this attack needs a manyheads.threats.Loss, whose objective it can exchange, got {type(loss).__name__}; "
            "make one with ThreatModel(...).loss(batch)"
        )
    return loss


def answered(loss: Loss, image: Image) -> Loss:
    """Ask the model about these images now; what comes back answers for them alone, without another pass.

    A loss of one's own, which may have no model, is returned as it is.
    """
    return replace(loss, model=_Answer(loss.outputs(image))) if isinstance(loss, threats.Loss) else loss


class _Answer(nn.Module):
    """Outputs that are known already."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, image: Tensor) -> Outputs:  # noqa: ARG002 (answers for one batch alone)
        return self.outputs


@dataclass(frozen=True)
class Raising(Attack):
    """An attack that raises another objective than the threat model's; the threat model still says who has won.

    Args:
        attack: the attack.
        objective: what it raises.

    >>> from manyheads.attacks import PGD
    >>> from manyheads.threats import DLR
    >>> Raising(PGD(steps=5), DLR("digit")).objective
    DLR(task='digit')
    """

    attack: Attack
    objective: Objective

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Run the attack.

        Raises:
            TypeError: if the loss is not `manyheads.threats.Loss`.
        """
        return self.attack.search(replace(opened(loss), objective=self.objective), clean, budget=budget, rng=rng)


@dataclass(frozen=True)
class RaisingSuccess(Attack):
    """An attack that raises the very number whose sign says who has won, whatever the threat model raises.

    Args:
        attack: the attack.
    """

    attack: Attack

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Run the attack.

        Raises:
            TypeError: if the loss is not `manyheads.threats.Loss`.
            ValueError: if the threat model does not say when the attacker has won.
        """
        known = opened(loss)
        if known.success is None:
            raise ValueError("nobody says when the attacker has won; give the threat model success=...")
        return self.attack.search(replace(known, objective=known.success), clean, budget=budget, rng=rng)
