"""A trial: one attack that a trained classifier is put through, and by whom."""

from dataclasses import dataclass
from typing import Literal

from manyheads.attacks import APGD, BIM, CW, FAB, FGSM, MIM, PGD, Ensemble, LastIteratePGD, Square
from manyheads.threats import L1, L2, Linf

Goal = Literal["untargeted", "targeted", "margin"]
"""What an attacker may want."""

Knowledge = Literal["gray-box", "white-box", "adaptive"]
"""What an attacker may know: the main head; all heads; all heads and the guard's rule."""

Blind = Literal["noise", "transfer"]
"""Who knows nothing of the model: one who draws a change at random; one who attacks a model of their own."""

Search = Literal["plain", "fast"]
"""On what an attack searches: the model itself, or a faster copy of it, whose finds the model has to confirm."""

AnyAttack = FGSM | BIM | PGD | MIM | CW | APGD | FAB | Square | Ensemble
"""The attacks that an experiment may name."""

InnerAttack = AnyAttack | LastIteratePGD
"""The attacks that adversarial training may take."""

AnyBudget = Linf | L2 | L1
"""The budgets that an experiment may name."""


@dataclass(frozen=True)
class Trial:
    """One attack that the trained model is put through.

    Args:
        attack: the search for images.
        budget: which images are allowed.
        goal: `untargeted` raises the loss of the true class, `targeted` the probability of the next class, `margin` the
            lead of the best wrong class.
        restarts: how many times the attack may try.
        examples: how many test examples it attacks, at most; None for all.
        knowledge: which attackers run it, of those who know the model; `Experiment.blind` names the others.
        search: `fast` searches on a faster copy of the model (`manyheads.attacks.Fast`).
    """

    attack: AnyAttack
    budget: AnyBudget
    goal: Goal = "untargeted"
    restarts: int = 1
    examples: int | None = None
    knowledge: tuple[Knowledge, ...] = ("gray-box", "white-box", "adaptive")
    search: Search = "plain"
