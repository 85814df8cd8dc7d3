"""What PGD costs beside the bare loop of forward passes, input gradients, sign steps and clamps.

Both run in turn in one process, on one thread, in float32, on the same images and with as many steps. The ratio of
each pair is taken, so that a machine that slows down slows both.

    python benchmarks/pgd_overhead.py --repetitions 20
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.models import LeNet, MultiTaskModel, SmallResNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("main", classes=10)
SHAPES = {LeNet: (1, 28, 28), SmallResNet: (3, 32, 32)}
"""The encoders, each with the shape of its images: channels, height, width."""


def bare_loop(model: nn.Module, clean: Tensor, *, label: Tensor, eps: float, step_size: float, steps: int) -> Tensor:
    """Climb as briefly as it can be written."""
    low, high = (clean - eps).clamp_min(0), (clean + eps).clamp_max(1)
    image = clean
    for _ in range(steps):
        image = image.detach().requires_grad_()
        loss = nn.functional.cross_entropy(model(image)["main"], label, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, image)
        image = (image.detach() + step_size * gradient.sign()).clamp(low, high)
    return image


def seconds(action: Callable[[], Tensor]) -> float:
    """Time one run, in the processor's time: on one thread, other programs then disturb less."""
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(model: nn.Module, clean: Tensor, *, steps: int, repetitions: int) -> list[tuple[float, float]]:
    """Return the seconds of PGD and of the bare loop, pair by pair; in half of the pairs the bare loop goes first."""
    label = torch.arange(len(clean)) % TASK.channels
    threat = ThreatModel(
        name="bench", model=model, tasks=[TASK], objective=TaskLoss([TASK], {"main": 1.0}), budget=Linf(0.1)
    )
    loss, attack = threat.loss({"label": label}), PGD(steps=steps, step_size=0.01)
    streams = torch.Generator().manual_seed(0)

    def ours() -> Tensor:
        return attack(loss, clean, threat.budget, rng=streams)

    def bare() -> Tensor:
        return bare_loop(model, clean, label=label, eps=threat.budget.eps, step_size=0.01, steps=steps)

    ours()
    bare()
    ours_first = [(seconds(ours), seconds(bare)) for _ in range(repetitions - repetitions // 2)]
    bare_first = [(seconds(bare), seconds(ours)) for _ in range(repetitions // 2)]
    return ours_first + [(ours_seconds, bare_seconds) for bare_seconds, ours_seconds in bare_first]


def main() -> None:
    """Measure both networks and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=20, help="pairs of runs for each network")
    parser.add_argument("--steps", type=int, default=40, help="steps of PGD")
    parser.add_argument("--batch", type=int, default=16, help="images at once")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"PGD-{options.steps}, batch {options.batch}, float32, one thread, torch {torch.__version__}")
    for network, shape in SHAPES.items():
        encoder = network()
        model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features)).eval()
        pairs = measure(model, torch.rand(options.batch, *shape), steps=options.steps, repetitions=options.repetitions)
        ratios = sorted(ours / bare for ours, bare in pairs)
        middle = statistics.median(ratios)
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        bare = statistics.median(bare for _, bare in pairs)
        print(
            f"{network.__name__:12} ratio {middle:.3f} (quartiles {low:.3f} to {high:.3f}, n={len(ratios)}), "
            f"bare loop {bare:.2f} s"
        )


if __name__ == "__main__":
    main()
