"""Defences at test time: rejection rules, the guard that applies them, and the attackers who know them."""

from manyheads.defences.adaptive import AllWrong, Coherent, Evasive
from manyheads.defences.adaptive_attacks import AdaptiveEnsemble, adaptive_ensemble
from manyheads.defences.calibrate import calibrate
from manyheads.defences.evasion_likelihood import EvasionLikelihood
from manyheads.defences.evasive_towards import EvasiveTowards
from manyheads.defences.guard import REJECTED, Decision, Guard
from manyheads.defences.placement import beside
from manyheads.defences.rejector import Disagreement, Rejector, SoftDisagreement
from manyheads.threats import all_met

__all__ = [
    "REJECTED",
    "AdaptiveEnsemble",
    "AllWrong",
    "Coherent",
    "Decision",
    "Disagreement",
    "EvasionLikelihood",
    "Evasive",
    "EvasiveTowards",
    "Guard",
    "Rejector",
    "SoftDisagreement",
    "adaptive_ensemble",
    "all_met",
    "beside",
    "calibrate",
]
