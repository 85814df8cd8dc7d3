"""Training: steps, how losses combine, the loop, checkpoints."""

from manyheads.training.aggregated import (
    Aggregated,
    Aggregator,
)
from manyheads.training.checkpointing import (
    Checkpoints,
)
from manyheads.training.combine import (
    Combine,
    Equal,
    Fixed,
)
from manyheads.training.dynamic_average import (
    DynamicAverage,
    Informed,
)
from manyheads.training.fit import (
    Plan,
    fit,
)
from manyheads.training.fooling import (
    Fooling,
)
from manyheads.training.mixed import (
    mixed,
)
from manyheads.training.optimizers import (
    SGD,
    Adam,
    Optimizer,
)
from manyheads.training.progress import (
    Measurement,
)
from manyheads.training.schedule import (
    Constant,
    Cosine,
    OneCycle,
    Schedule,
    StepDecay,
)
from manyheads.training.steps import (
    Adversarial,
    Clean,
    Ramped,
    Scheduled,
    Step,
)

__all__ = [
    "SGD",
    "Adam",
    "Adversarial",
    "Aggregated",
    "Aggregator",
    "Checkpoints",
    "Clean",
    "Combine",
    "Constant",
    "Cosine",
    "DynamicAverage",
    "Equal",
    "Fixed",
    "Fooling",
    "Informed",
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
