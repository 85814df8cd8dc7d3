"""Searches for the worst image: they see a loss and a budget, no task, no label and no model."""

from manyheads.attacks.apgd import (
    APGD,
)
from manyheads.attacks.attack import (
    Attack,
    Best,
    Loss,
    check,
)
from manyheads.attacks.derivative import (
    differentiate,
)
from manyheads.attacks.each_target import (
    EachTarget,
)
from manyheads.attacks.external import (
    External,
)
from manyheads.attacks.fab import (
    FAB,
)
from manyheads.attacks.fast import (
    AcceleratedLoss,
    Fast,
)
from manyheads.attacks.generative import (
    Generative,
)
from manyheads.attacks.gradient import (
    BIM,
    FGSM,
    MIM,
    PGD,
    LastIteratePGD,
    UnscaledMIM,
)
from manyheads.attacks.minimal import (
    CW,
)
from manyheads.attacks.mixed import (
    Aggregated,
    Aggregator,
    MixedPerturbations,
)
from manyheads.attacks.noise import (
    Noise,
)
from manyheads.attacks.penalty import (
    PenaltySearch,
)
from manyheads.attacks.raising import (
    Raising,
    RaisingSuccess,
)
from manyheads.attacks.square import (
    Square,
)
from manyheads.attacks.standard import (
    Ensemble,
    standard_ensemble,
)
from manyheads.attacks.step_rule import (
    MAO_STEP_SIZE,
    mao_steps,
)
from manyheads.attacks.termed import (
    TermedLoss,
    termed,
)
from manyheads.attacks.worst import (
    Restarts,
    WorstOf,
)

__all__ = [
    "APGD",
    "BIM",
    "CW",
    "FAB",
    "FGSM",
    "MAO_STEP_SIZE",
    "MIM",
    "PGD",
    "AcceleratedLoss",
    "Aggregated",
    "Aggregator",
    "Attack",
    "Best",
    "EachTarget",
    "Ensemble",
    "External",
    "Fast",
    "Generative",
    "LastIteratePGD",
    "Loss",
    "MixedPerturbations",
    "Noise",
    "PenaltySearch",
    "Raising",
    "RaisingSuccess",
    "Restarts",
    "Square",
    "TermedLoss",
    "UnscaledMIM",
    "WorstOf",
    "check",
    "differentiate",
    "mao_steps",
    "standard_ensemble",
    "termed",
]
