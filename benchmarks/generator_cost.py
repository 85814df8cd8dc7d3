"""What MTA's generator costs beside GAP's, for three tasks on the same images: in parameters, and in time.

MTA encodes an image once and decodes it three times; GAP does both three times. That MTA's three perturbations are
those of its encoder and decoders run one by one is checked on the way.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.timing import Finding, at_most, ratio, rounds, summary
from manyheads.models import PerInstance, Perturber, Universal, gap_generator, mta_generator

TASKS: tuple[str, ...] = ("segmentation", "depth", "normals")
KINDS = {"universal": 4, "per instance": 10}
"""Kind -> residual blocks, as in the paper for NYUv2."""

WIDTH, SIZE = 20, (288, 384)
"""Channels of the first convolution; height and width of the image."""


def perturbers(kind: str) -> tuple[Perturber, Perturber]:
    """Make the perturbers of MTA and of GAP, of one kind."""
    generators = (make(TASKS, width=WIDTH, blocks=KINDS[kind]).eval() for make in (mta_generator, gap_generator))
    if kind == "per instance":
        mta, gap = (PerInstance(generator) for generator in generators)
    else:
        one_pattern = dict.fromkeys(TASKS, "all")
        mta, gap = (Universal(generator, size=SIZE, patterns=one_pattern) for generator in generators)
    return mta, gap


def check_same(mta: Perturber, image: Tensor) -> None:
    """Refuse to time a generator that does not do what its parts do one by one."""
    together = mta.raw(dict.fromkeys(TASKS, image))
    for task in TASKS:
        torch.testing.assert_close(together[task], mta.raw({task: image})[task], rtol=0, atol=0)


def compared(kind: str, *, repetitions: int) -> Iterator[Finding]:
    """Measure one kind."""
    mta, gap = perturbers(kind)
    image = torch.rand(1, 3, *SIZE)
    inputs = dict.fromkeys(TASKS, image)
    with torch.inference_mode():
        check_same(mta, image)
        times = rounds({"mta": lambda: mta.raw(inputs), "gap": lambda: gap.raw(inputs)}, repetitions=repetitions)
    counts = [one.generator.parameter_counts().total for one in (mta, gap)]
    named = f"MTA / GAP for {len(TASKS)} tasks, {kind}, {KINDS[kind]} blocks"
    parameters = f"{counts[0]:,} and {counts[1]:,}"
    share = summary([counts[0] / counts[1]])
    yield at_most(0.38, case="generator_cost", what=f"{named}, parameters", found=share, aside=parameters)
    what = f"{named}, time, {SIZE[0]}x{SIZE[1]}"
    yield at_most(0.45, case="generator_cost", what=what, found=ratio(times, of="mta", to="gap"))


def run(repetitions: int) -> Iterator[Finding]:
    """Measure both kinds."""
    for kind in KINDS:
        yield from compared(kind, repetitions=repetitions)
