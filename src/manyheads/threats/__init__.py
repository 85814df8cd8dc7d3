"""Who attacks: budgets of allowed images, objectives that are raised, threat models that bind them to a model."""

from manyheads.threats.budget import ROUNDING, Budget, column
from manyheads.threats.houdini import Houdini, LostOverlap, OverlapCost, PercentOverlap
from manyheads.threats.logarithmic import Logarithmic
from manyheads.threats.norms import L1, L2, Linf
from manyheads.threats.objective import (
    Aim,
    FixedClass,
    Margin,
    NextClass,
    Objective,
    Targeted,
    TargetLead,
    TaskLoss,
    lead,
)
from manyheads.threats.scaling import perturbed, scaled
from manyheads.threats.threat import Loss, ThreatModel, in_eval_mode

__all__ = [
    "L1",
    "L2",
    "ROUNDING",
    "Aim",
    "Budget",
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
    "PercentOverlap",
    "TargetLead",
    "Targeted",
    "TaskLoss",
    "ThreatModel",
    "column",
    "in_eval_mode",
    "lead",
    "perturbed",
    "scaled",
]
