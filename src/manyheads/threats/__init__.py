"""Who attacks: budgets of allowed images, objectives that are raised, threat models that bind them to a model."""

from manyheads.threats.budget import (
    ROUNDING,
    Budget,
    column,
)
from manyheads.threats.constrained import (
    Alternating,
    Anchored,
    Constrained,
    Penalised,
    Standing,
)
from manyheads.threats.dlr import (
    DLR,
    TargetedDLR,
)
from manyheads.threats.houdini import (
    Houdini,
    LostOverlap,
    OverlapCost,
    PercentOverlap,
)
from manyheads.threats.joint import (
    AllOf,
    AnyOf,
    Balanced,
    WorstTask,
    all_met,
)
from manyheads.threats.logarithmic import (
    Logarithmic,
)
from manyheads.threats.norms import (
    L1,
    L2,
    Linf,
)
from manyheads.threats.objective import (
    Aim,
    ClassLead,
    FixedClass,
    Margin,
    NextClass,
    Objective,
    Targeted,
    TargetLead,
    TaskLoss,
    lead,
)
from manyheads.threats.scaling import (
    perturbed,
    scaled,
)
from manyheads.threats.stealthy import (
    Stealthy,
)
from manyheads.threats.threat import (
    Loss,
    ThreatModel,
    in_eval_mode,
)

__all__ = [
    "DLR",
    "L1",
    "L2",
    "ROUNDING",
    "Aim",
    "AllOf",
    "Alternating",
    "Anchored",
    "AnyOf",
    "Balanced",
    "Budget",
    "ClassLead",
    "Constrained",
    "FixedClass",
    "Houdini",
    "Linf",
    "Logarithmic",
    "Loss",
    "LostOverlap",
    "Margin",
    "NextClass",
    "Objective",
    "OverlapCost",
    "Penalised",
    "PercentOverlap",
    "Standing",
    "Stealthy",
    "TargetLead",
    "Targeted",
    "TargetedDLR",
    "TaskLoss",
    "ThreatModel",
    "WorstTask",
    "all_met",
    "column",
    "in_eval_mode",
    "lead",
    "perturbed",
    "scaled",
]
