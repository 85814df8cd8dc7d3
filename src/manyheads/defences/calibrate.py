"""Calibration: the threshold at which a guard rejects a chosen share of clean inputs."""

from collections.abc import Iterable
from fractions import Fraction
from math import floor, inf

import torch
from torch import nn

from manyheads.defences.guard import Guard
from manyheads.defences.placement import beside
from manyheads.defences.rejector import Rejector
from manyheads.threats import in_eval_mode
from manyheads.types import Batch


def calibrate(model: nn.Module, rejector: Rejector, batches: Iterable[Batch], *, reject: float) -> Guard:
    """Make a guard with the lowest threshold that rejects at most a given share of held-out clean inputs.

    The model is seen in eval mode and left as found; batches are moved to its device.

    Args:
        model: a module that maps images to a dict of outputs.
        rejector: scores contradictions between the heads.
        batches: clean data that the model was not trained on.
        reject: the largest share of these that may be rejected, in [0, 1).

    Raises:
        ValueError: if the share is not in [0, 1) or there is no data.
    """
    if not 0 <= reject < 1:
        raise ValueError(f"reject is a share of clean inputs in [0, 1), got {reject}; write 0.02 for 2 %")
    with torch.no_grad(), in_eval_mode(model):
        parts = [rejector.score(model(beside(model, batch)["image"])).cpu() for batch in batches]
    if not any(len(part) for part in parts):
        raise ValueError("calibration needs held-out clean batches, got none")
    scores = torch.cat(parts).sort().values
    allowed = floor(Fraction(str(float(reject))) * len(scores))  # 0.29 of 100 is 29; in floats it is just below
    # The highest score that must still be accepted; everything above it may be rejected. The next number is taken in
    # the scores' own precision: one that is nearer would be rounded back to it where the guard compares.
    accepted = scores[len(scores) - allowed - 1]
    return Guard(model, rejector, rejector.admissible(float(accepted.nextafter(torch.full_like(accepted, inf)))))
