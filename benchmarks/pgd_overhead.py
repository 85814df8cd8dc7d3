"""What PGD costs beside the bare loop of forward passes, input gradients, sign steps and clamps.

Both take as many steps on the same images. PGD also judges its last step, a forward pass more than the bare loop has.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmarks.timing import Finding, at_most, ratio, rounds
from manyheads.attacks import PGD
from manyheads.models import LeNet, MultiTaskModel, SmallResNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf, TaskLoss, ThreatModel

TASK = classify("main", classes=10)
SHAPES = {LeNet: (1, 28, 28), SmallResNet: (3, 32, 32)}
"""The encoders, each with the shape of its images: channels, height, width."""

STEPS, BATCH, EPS, STEP_SIZE = 40, 16, 0.1, 0.01


def bare_loop(model: nn.Module, clean: Tensor, *, label: Tensor, steps: int) -> Tensor:
    """Climb as briefly as it can be written."""
    low, high = (clean - EPS).clamp_min(0), (clean + EPS).clamp_max(1)
    image = clean
    for _ in range(steps):
        image = image.detach().requires_grad_()
        loss = nn.functional.cross_entropy(model(image)["main"], label, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, image)
        image = (image.detach() + STEP_SIZE * gradient.sign()).clamp(low, high)
    return image


def compared(network: type[LeNet | SmallResNet], *, repetitions: int) -> Finding:
    """Measure one network."""
    encoder = network()
    model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features)).eval()
    clean, label = torch.rand(BATCH, *SHAPES[network]), torch.arange(BATCH) % TASK.channels
    objective = TaskLoss([TASK], {"main": 1.0})
    threat = ThreatModel(name="bench", model=model, tasks=[TASK], objective=objective, budget=Linf(EPS))
    loss, attack = threat.loss({"label": label}), PGD(steps=STEPS, step_size=STEP_SIZE)
    actions = {
        "ours": lambda: attack(loss, clean, threat.budget, rng=torch.Generator().manual_seed(0)),
        "bare": lambda: bare_loop(model, clean, label=label, steps=STEPS),
    }
    found = ratio(rounds(actions, repetitions=repetitions), of="ours", to="bare")
    what = f"PGD-{STEPS} / bare loop, {network.__name__}, {BATCH} images"
    return at_most(1.02, case="pgd_overhead", what=what, found=found)


def run(repetitions: int) -> Iterator[Finding]:
    """Measure both networks."""
    for network in SHAPES:
        yield compared(network, repetitions=repetitions)
