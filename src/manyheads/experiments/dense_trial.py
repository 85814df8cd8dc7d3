"""The attacks of a dense experiment, as plain data: those that harden a model and those that measure it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from manyheads.attacks import BIM, FGSM, MIM, PGD, UnscaledMIM
from manyheads.experiments.trial import AnyBudget, Search
from manyheads.threats import Linf

Attacked = Literal["main", "all"]
"""Whose losses an attack raises: the main task's alone (single-task), or the sum of all tasks' (multi-task)."""

Attackers = Literal["main", "all", "both"]
"""Who runs a trial: the single-task attacker, the multi-task one, or each of them."""

DenseGoal = Literal["loss", "houdini", "houdini_percent"]
"""What an attack raises: the tasks' own losses, or Houdini's on the segmentation, as printed or as in released code."""

DenseAttack = FGSM | BIM | PGD | MIM | UnscaledMIM
"""The attacks that a dense experiment may name."""


@dataclass(frozen=True)
class DenseHardening:
    """Adversarial training: all tasks train on attacked images.

    Args:
        attack: the inner attack.
        budget: which images it may choose.
        attacked: whose losses it raises.
        ramp: share of training over which the budget grows from zero.
    """

    attack: DenseAttack = field(default_factory=lambda: PGD(steps=5, step_size=2 / 255))
    budget: AnyBudget = field(default_factory=lambda: Linf(8 / 255))
    attacked: Attacked = "all"
    ramp: float = 0.0


@dataclass(frozen=True)
class DenseTrial:
    """One attack that the trained model is put through.

    Args:
        attack: the search for images.
        budget: which images are allowed.
        attacked: whose losses it raises; with `both` it is run twice.
        goal: what it raises; Houdini's surrogate needs a segmentation as main task.
        examples: how many test frames it attacks, at most; None for all.
        search: `fast` searches on a faster copy of the model (`manyheads.attacks.Fast`).
    """

    attack: DenseAttack
    budget: AnyBudget
    attacked: Attackers = "main"
    goal: DenseGoal = "loss"
    examples: int | None = None
    search: Search = "plain"

    def __post_init__(self) -> None:
        """Refuse a surrogate that does not speak of the losses that are raised."""
        if self.goal != "loss" and self.attacked != "main":
            raise ValueError(
                f"Houdini's loss speaks of a segmentation alone, but the trial attacks {self.attacked!r}; attack `main`"
            )

    @property
    def attackers(self) -> tuple[Attacked, ...]:
        """Who runs it."""
        return ("main", "all") if self.attacked == "both" else (self.attacked,)


@dataclass(frozen=True)
class VulnerabilityPlan:
    """Which first-order vulnerability of the trained model is measured, beside Theorem 1's prediction.

    Args:
        examples: on how many test frames, at most.
        budget: the attacker's.
        draws: how often sets of tasks, and of output pixels, are drawn.
        pixels: numbers of output pixels of the segmentation that are attacked together; empty for no such curve.
        attacks: attacks on these pixels whose success is counted, by name.

    Raises:
        ValueError: if there are less than two draws, from which covariances are estimated.
    """

    examples: int = 64
    budget: AnyBudget = field(default_factory=lambda: Linf(4 / 255))
    draws: int = 20
    pixels: tuple[int, ...] = ()
    attacks: Mapping[str, DenseAttack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse draws that tell nothing."""
        if self.draws < 2:
            raise ValueError(f"covariances are estimated from two draws or more, got draws={self.draws}")
