"""What PGD costs beside the bare loop of forward passes, input gradients, sign steps and clamps.

Both run in turn in one process, on one thread, in float32, on the same images and with as many steps. The ratio of
each pair is taken, so that a machine that slows down slows both.

    python benchmarks/pgd_overhead.py --repetitions 20
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

CLASSES = 10


class LeNet(nn.Module):
    """Two convolutions and a hidden layer, for 28×28 grey images."""

    image_shape = (1, 28, 28)

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(64 * 7 * 7, 1024), nn.ReLU()),
        )
        self.head = nn.Linear(1024, CLASSES)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the scores of the one task."""
        return {"main": self.head(self.features(image))}


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, before: int, *, after: int, stride: int) -> None:
        """Draw the weights."""
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()),
            *(nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)),
        )
        self.shortcut = nn.Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Add what the body finds."""
        return torch.relu(self.body(features) + self.shortcut(features))


class SmallResNet(nn.Module):
    """A ResNet of eight blocks and a quarter of the usual width, for 32×32 colour images."""

    image_shape = (3, 32, 32)

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        widths = (16, 16, 16, 32, 32, 64, 64, 128, 128)
        pairs = itertools.pairwise(widths)
        blocks = [Block(before, after=after, stride=1 if before == after else 2) for before, after in pairs]
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks
        )
        self.head = nn.Linear(128, CLASSES)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the scores of the one task."""
        return {"main": self.head(self.features(image).mean((2, 3)))}


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
    task = classify("main", classes=CLASSES)
    label = torch.arange(len(clean)) % CLASSES
    threat = ThreatModel(
        name="bench", model=model, tasks=[task], objective=TaskLoss([task], {"main": 1.0}), budget=Linf(0.1)
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
    for network in (LeNet, SmallResNet):
        clean = torch.rand(options.batch, *network.image_shape)
        pairs = measure(network().eval(), clean, steps=options.steps, repetitions=options.repetitions)
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
