"""The worst of several attacks, example by example; only those that survived so far are attacked again."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from manyheads.attacks.attack import Attack, Loss
from manyheads.randomness import Streams
from manyheads.threats import Budget
from manyheads.types import Flags, Image


@dataclass(frozen=True)
class WorstOf(Attack):
    """Several attacks one after another, each on the examples that no earlier one has won.

    An image that wins stays; among images that do not win, the one of higher loss stays. Where the threat model does
    not say who has won, every attack sees every example and the highest loss stays. Each attack draws from streams of
    its own.

    Args:
        attacks: the attacks, cheap ones best first.

    Raises:
        ValueError: if there is no attack.

    Reference: Croce & Hein, ICML 2020 (the ensemble's worst case).
    """

    attacks: Sequence[Attack]

    def __post_init__(self) -> None:
        """Refuse an empty set of attacks."""
        if not self.attacks:
            raise ValueError("the worst of no attacks is not defined; give at least one")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Run the attacks on what is left."""
        worst = clean.clone()
        value = clean.new_full((len(clean),), -torch.inf)
        left = torch.arange(len(clean), device=clean.device)
        for number, attack in enumerate(self.attacks):
            part = loss.select(left)
            found = attack(part, clean[left], budget, rng=rng.fork(number).select(left))
            with torch.no_grad():
                reached = part(found).to(value)
            won = _won(part, found)
            better = won | (reached > value[left])
            worst[left[better]] = found[better]
            value[left[better]] = reached[better]
            left = left[~won]
            if not len(left):
                break
        return worst


@dataclass(frozen=True)
class Restarts(Attack):
    """One attack several times, each time with fresh random numbers and on the survivors alone.

    Args:
        attack: the attack; without random numbers every restart gives the same image.
        times: how often it starts, the first time included.

    Raises:
        ValueError: if it never starts.

    >>> from manyheads.attacks import PGD
    >>> Restarts(PGD(), times=5).times
    5
    """

    attack: Attack
    times: int

    def __post_init__(self) -> None:
        """Refuse to start less than once."""
        if self.times < 1:
            raise ValueError(f"an attack starts at least once, got times={self.times}")

    def search(self, loss: Loss, clean: Image, *, budget: Budget, rng: Streams) -> Image:
        """Run the attack again on what is left."""
        return WorstOf((self.attack,) * self.times).search(loss, clean, budget=budget, rng=rng)


def _won(loss: Loss, image: Image) -> Flags:
    if loss.knows_success:
        return loss.won(image)
    return torch.zeros(len(image), dtype=torch.bool, device=image.device)
