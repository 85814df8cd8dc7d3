"""What MTA's generator costs beside GAP's, for three tasks on the same images: in parameters, and in time.

MTA encodes an image once and decodes it three times; GAP does both three times. The two run in turn in one process, on
one thread, in float32, without gradients; ratios of time are taken round by round, so that a machine that slows down
slows both. That MTA's three perturbations are those of its encoder and decoders run one by one is checked on the way.

    python benchmarks/generator_cost.py --repetitions 20
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from manyheads.models import PerInstance, Perturber, Universal, gap_generator, mta_generator

TASKS: tuple[str, ...] = ("segmentation", "depth", "normals")
KINDS = {"universal": 4, "per instance": 10}
"""Kind -> residual blocks, as in the paper for NYUv2."""


def perturbers(kind: str, *, width: int, size: tuple[int, int]) -> tuple[Perturber, Perturber]:
    """Make the perturbers of MTA and of GAP, of one kind."""
    generators = (make(TASKS, width=width, blocks=KINDS[kind]).eval() for make in (mta_generator, gap_generator))
    if kind == "per instance":
        mta, gap = (PerInstance(generator) for generator in generators)
    else:
        one_pattern = dict.fromkeys(TASKS, "all")
        mta, gap = (Universal(generator, size=size, patterns=one_pattern) for generator in generators)
    return mta, gap


def check_same(mta: Perturber, image: Tensor) -> None:
    """Refuse to time a generator that does not do what its parts do one by one."""
    together = mta.raw(dict.fromkeys(TASKS, image))
    for task in TASKS:
        torch.testing.assert_close(together[task], mta.raw({task: image})[task], rtol=0, atol=0)


def seconds(action: Callable[[], object]) -> float:
    """Time one run, in the processor's time: on one thread, other programs then disturb less."""
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(both: tuple[Perturber, Perturber], image: Tensor, *, repetitions: int) -> list[tuple[float, float]]:
    """Return the seconds that MTA and GAP take for three perturbations of the images, round by round."""
    inputs = dict.fromkeys(TASKS, image)
    mta, gap = both
    for perturber in both:  # the first runs allocate and warm up
        perturber.raw(inputs)
    return [(seconds(lambda: mta.raw(inputs)), seconds(lambda: gap.raw(inputs))) for _ in range(repetitions)]


def spread(numbers: list[float]) -> str:
    """Say the median and the quartiles."""
    ordered = sorted(numbers)
    low, high = ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]
    return f"{statistics.median(ordered):.3f} (quartiles {low:.3f} to {high:.3f})"


def main() -> None:
    """Measure both kinds and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=20, help="runs of each generator")
    parser.add_argument("--batch", type=int, default=1, help="images at once")
    parser.add_argument("--width", type=int, default=20, help="channels of the first convolution")
    parser.add_argument("--size", type=int, nargs=2, default=(288, 384), help="height and width")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    height, width = options.size
    print(
        f"{options.batch} images of {height}x{width}, {len(TASKS)} tasks, width {options.width}, float32, one thread, "
        f"torch {torch.__version__}, n={options.repetitions}"
    )
    image = torch.rand(options.batch, 3, height, width)
    for kind, blocks in KINDS.items():
        both = perturbers(kind, width=options.width, size=(height, width))
        with torch.inference_mode():
            check_same(both[0], image)
            runs = measure(both, image, repetitions=options.repetitions)
        mta, gap = (perturber.generator.parameter_counts().total for perturber in both)
        print(f"{kind}, {blocks} blocks: MTA {mta:,} parameters, GAP {gap:,}: {mta / gap:.4f}")
        print(f"  seconds of MTA {spread([run[0] for run in runs])}, of GAP {spread([run[1] for run in runs])}")
        print(f"  MTA / GAP {spread([run[0] / run[1] for run in runs])}")


if __name__ == "__main__":
    main()
