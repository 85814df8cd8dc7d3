"""Training: steps, how losses combine, the loop, checkpoints."""

from manyheads.training.checkpointing import Checkpoints
from manyheads.training.combine import Combine, Equal, Fixed
from manyheads.training.fit import Plan, fit
from manyheads.training.mixed import mixed
from manyheads.training.optimizers import SGD, Adam, Optimizer
from manyheads.training.progress import Measurement
from manyheads.training.schedule import Constant, Cosine, OneCycle, Schedule, StepDecay
from manyheads.training.steps import Adversarial, Clean, Ramped, Scheduled, Step

__all__ = [
    "SGD",
    "Adam",
    "Adversarial",
    "Checkpoints",
    "Clean",
    "Combine",
    "Constant",
    "Cosine",
    "Equal",
    "Fixed",
    "Measurement",
    "OneCycle",
    "Optimizer",
    "Plan",
    "Ramped",
    "Schedule",
    "Scheduled",
    "Step",
    "StepDecay",
    "fit",
    "mixed",
]
