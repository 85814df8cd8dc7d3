"""Searches for the worst image: they see a loss and a budget, no task, no label and no model."""

from manyheads.attacks.attack import Attack, Best, Loss, check
from manyheads.attacks.derivative import differentiate
from manyheads.attacks.generative import Generative
from manyheads.attacks.gradient import BIM, FGSM, MIM, PGD, UnscaledMIM
from manyheads.attacks.minimal import CW
from manyheads.attacks.noise import Noise
from manyheads.attacks.step_rule import MAO_STEP_SIZE, mao_steps
from manyheads.attacks.worst import Restarts, WorstOf

__all__ = [
    "BIM",
    "CW",
    "FGSM",
    "MAO_STEP_SIZE",
    "MIM",
    "PGD",
    "Attack",
    "Best",
    "Generative",
    "Loss",
    "Noise",
    "Restarts",
    "UnscaledMIM",
    "WorstOf",
    "check",
    "differentiate",
    "mao_steps",
]
