"""Sanity checks of the gradients that attacks climb along, and of the model's own randomness."""

from collections.abc import Sequence

import torch
from torch import nn

from manyheads.defences import beside
from manyheads.evaluation.check import ONE_SIDED, Check, judged, percent
from manyheads.evaluation.intervals import wilson
from manyheads.evaluation.loss_surface import points_uphill, slopes
from manyheads.evaluation.sanity_bench import has_answers
from manyheads.models import Averaged
from manyheads.randomness import Streams
from manyheads.threats import ThreatModel, in_eval_mode
from manyheads.types import Batch, Image

VANISHING, UPHILL, SETTLED = "gradients do not vanish", "gradients point uphill", "answers do not change by themselves"
"""Names of these checks."""

_TINY = 1e-20
"""A gradient whose largest entry is below this moves no loss that anybody could notice."""

_FEW, _MOST = 0.05, 0.8
"""Gradients may vanish on so many examples, and must point uphill on so many, before a check may fail."""

_NOISE = 1e-4
"""How far outputs of two passes may differ, as a share of their spread, before the model counts as random."""


def gradient_checks(threat: ThreatModel, batches: Sequence[Batch], *, main: str, seed: int) -> tuple[Check, Check]:
    """Check on clean images that gradients are there, and that the loss rises along them.

    A gradient counts as vanished where no entry of it reaches 1e-20, as those of a saturated softmax and of rounded
    inputs do not. Beside it stands, of a classification, the share of examples whose softmax rounds to one: their
    cross-entropy is zero, and its gradient inexact.
    """
    gone = uphill = told = saturated = count = 0
    answers = has_answers(threat, main)
    for batch in (beside(threat.model, given) for given in batches):
        loss, image = threat.loss(batch), batch["image"]
        numbers = batch.get("index", torch.arange(count, count + len(image)))
        rng = Streams.of_examples(numbers, seed=seed, stage="slopes").to(image.device)
        found = slopes(loss, image, budget=threat.budget, rng=rng)
        rises, clear = points_uphill(loss, image, found=found, eps=float(threat.budget.eps))
        gone += int((found.largest < _TINY).sum())
        uphill += int((rises & clear).sum())
        told += int(clear.sum())
        saturated += _saturated(threat.model, image, main=main) if answers else 0
        count += len(image)
    certain = f", softmax saturated: {percent(saturated, of=count)}" if answers else ""
    vanished = f"vanished: {percent(gone, of=count)}{certain} of examples"
    first = judged(
        passed=wilson(gone, trials=count, z=ONE_SIDED)[0] <= _FEW, check=VANISHING, figures=vanished, n=count
    )
    rising = f"a step along the gradient beats a random one: {percent(uphill, of=told)} of examples"
    if not told:
        return first, Check(UPHILL, "not applicable", "no step changes the loss by anything that floats can show", 0)
    return first, judged(
        passed=wilson(uphill, trials=told, z=ONE_SIDED)[1] >= _MOST, check=UPHILL, figures=rising, n=told
    )


@torch.no_grad()
def _saturated(model: nn.Module, image: Image, *, main: str) -> int:
    with in_eval_mode(model):
        confidence = model(image)[main].softmax(1).amax(1)
    return int((confidence == 1).sum())


@torch.no_grad()
def randomness_check(victim: nn.Module, threat: ThreatModel, batches: Sequence[Batch], *, main: str) -> Check:
    """Check that two passes give the same outputs, or that the attacker works on the mean of several.

    Of a model that draws at test time, attack the expectation: `Averaged(model, times=10)` as the threat's model.
    """
    changed = count = classes = 0
    largest = 0.0
    for batch in (beside(victim, given) for given in batches):
        with in_eval_mode(victim):
            first, second = victim(batch["image"]), victim(batch["image"])
        for name, output in first.items():
            spread = float(output.double().std(correction=0)) or 1.0
            largest = max(largest, float((output - second[name]).abs().max()) / spread)
        classes = first[main].shape[1]
        differ = first[main].argmax(1) != second[main].argmax(1)
        changed += int(differ.reshape(len(differ), -1).any(1).sum())
        count += len(batch["image"])
    if largest <= _NOISE:
        return judged(passed=True, check=SETTLED, figures="two passes give the same outputs", n=count)
    answers = f"other answers on {percent(changed, of=count)}, " if classes > 1 else ""
    figures = f"two passes differ: {answers}outputs by up to {largest:.2g} spreads"
    averaged = isinstance(threat.model, Averaged)
    cure = "attacked through the mean of several passes" if averaged else "attack Averaged(model, times=10) instead"
    return judged(passed=averaged, check=SETTLED, figures=f"{figures}; {cure}", n=count)
