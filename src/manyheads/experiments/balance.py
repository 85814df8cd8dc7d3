"""Balance: how the losses of several tasks become one gradient, as plain data."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from manyheads.training import Aggregated, Combine, DynamicAverage, Equal, Fixed

Rule = Literal["UPGrad", "DualProj", "MGDA", "PCGrad", "CAGrad", "IMTLG", "AlignedMTL"]
"""The aggregators that can be named: those of TorchJD that remember nothing of earlier batches."""

_CAUTION = 0.5
"""How far CAGrad's direction may be from the mean gradient, as a share of its length: the middle of its range."""


@dataclass(frozen=True)
class Aggregation:
    """A rule of TorchJD makes one gradient of the tasks' gradients, for the layers that they share.

    A step takes one backward pass per task. Which rule suits is an empirical question: `UPGrad` never raises a task's
    loss to first order, `MGDA` is the shortest such combination, `PCGrad` takes conflicts out pair by pair, `CAGrad`
    stays near the mean, `IMTLG` makes all projections alike, `AlignedMTL` evens out the principal components.

    Args:
        rule: the aggregator, by the name of its class in TorchJD.

    Reference: Quinton & Rey, 2024 (UPGrad); Désidéri 2012 (MGDA); Yu et al., NeurIPS 2020 (PCGrad); Liu et al.,
    NeurIPS 2021 (CAGrad, c = 0.5); Liu et al., ICLR 2021 (IMTL-G); Senushkin et al., CVPR 2023 (Aligned-MTL).
    """

    rule: Rule = "UPGrad"

    def build(self) -> Aggregated:
        """Make the rule.

        Raises:
            ValueError: if TorchJD, or a solver that the rule needs, is not installed.
        """
        try:
            library: Any = importlib.import_module("torchjd.aggregation")
            made = getattr(library, self.rule)
            return Aggregated(made(c=_CAUTION) if self.rule == "CAGrad" else made())
        except ImportError as error:
            needed = "'torchjd[cagrad]'" if self.rule == "CAGrad" else "'manyheads[torchjd]'"
            raise ValueError(f"{self.rule} is a rule of TorchJD's: pip install {needed} ({error})") from error


AnyCombine = Equal | DynamicAverage | Aggregation
"""The ways to combine losses that an experiment may name."""

Indifferent = Equal | Aggregation
"""Those that do not care whether losses are above zero."""


def combination(wanted: AnyCombine, *, weights: Mapping[str, float] | None = None) -> Combine:
    """Make what `fit` takes.

    Args:
        wanted: how the losses are combined.
        weights: one per task, for the sum; None for a sum without weights.

    Raises:
        ValueError: if what a rule needs is not installed.
    """
    match wanted:
        case Aggregation():
            return wanted.build()
        case Equal() if weights is not None:
            return Fixed(weights)
    return wanted
