"""Defences at test time: rejection rules, the guard that applies them, and the attackers who know them."""

from manyheads.defences.adaptive import AllWrong, Coherent, Evasive, all_met
from manyheads.defences.calibrate import calibrate
from manyheads.defences.guard import REJECTED, Decision, Guard
from manyheads.defences.rejector import Disagreement, Rejector, Relation, SoftDisagreement

__all__ = [
    "REJECTED",
    "AllWrong",
    "Coherent",
    "Decision",
    "Disagreement",
    "Evasive",
    "Guard",
    "Rejector",
    "Relation",
    "SoftDisagreement",
    "all_met",
    "calibrate",
]
