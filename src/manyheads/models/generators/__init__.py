"""Generators: networks that answer an image with perturbations, one per task, in a single pass."""

from manyheads.models.generators.generator import PerturbationGenerator, gap_generator, mta_generator
from manyheads.models.generators.perturber import PerInstance, Perturber, Universal
from manyheads.models.generators.residual import GeneratorDecoder, GeneratorEncoder, NormMaker, instance_norm

__all__ = [
    "GeneratorDecoder",
    "GeneratorEncoder",
    "NormMaker",
    "PerInstance",
    "PerturbationGenerator",
    "Perturber",
    "Universal",
    "gap_generator",
    "instance_norm",
    "mta_generator",
]
