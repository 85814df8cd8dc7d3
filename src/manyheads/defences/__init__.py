"""Defences at test time: rejection rules, the guard that applies them, and the attackers who know them."""

from manyheads.defences.adaptive import AllWrong, Coherent, Evasive, all_met
from manyheads.defences.calibrate import calibrate
from manyheads.defences.evasion_likelihood import EvasionLikelihood
from manyheads.defences.guard import REJECTED, Decision, Guard
from manyheads.defences.placement import beside
from manyheads.defences.rejector import Disagreement, Rejector, SoftDisagreement

__all__ = [
    "REJECTED",
    "AllWrong",
    "Coherent",
    "Decision",
    "Disagreement",
    "EvasionLikelihood",
    "Evasive",
    "Guard",
    "Rejector",
    "SoftDisagreement",
    "all_met",
    "beside",
    "calibrate",
]
