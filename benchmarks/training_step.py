"""What a step of adversarial training costs beside its floor: the passes of the inner attack and one training pass.

The floor is written by hand with nothing but these passes; both update the same network with the same optimiser. The
profiler counts how often a step asks the device for a number, and so would wait for it.
"""

from collections.abc import Iterator

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks.timing import Finding, at_most, ratio, rounds, summary
from manyheads.attacks import LastIteratePGD
from manyheads.models import MultiTaskModel, SmallResNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import Linf
from manyheads.training import SGD, Adversarial, Plan, Step, fit

TASK = classify("main", classes=10)
EPS, STEP_SIZE, BATCH, BATCHES = 8 / 255, 2 / 255, 32, 12
READINGS = ("aten::_local_scalar_dense", "aten::is_nonzero", "aten::nonzero", "aten::equal")
"""What the profiler calls the operations whose result a program waits for."""


def model() -> MultiTaskModel:
    """Make the network."""
    encoder = SmallResNet()
    return MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features))


def drawn(count: int) -> list[dict[str, Tensor]]:
    """Draw batches as a loader gives them: with the examples' streams of random numbers."""
    order = torch.arange(BATCH)
    return [
        {"image": torch.rand(BATCH, 3, 32, 32), "label": torch.randint(10, (BATCH,)), "stream": order + BATCH * number}
        for number in range(count)
    ]


def floor(net: nn.Module, batches: list[dict[str, Tensor]], *, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """Train one epoch as briefly as it can be written."""
    for batch in batches:
        clean, label = batch["image"], batch["label"]
        net.eval()
        image = (clean + EPS * (2 * torch.rand_like(clean) - 1)).clamp(0, 1)
        for _ in range(steps):
            image = image.detach().requires_grad_()
            loss = nn.functional.cross_entropy(net(image)["main"], label, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, image)
            image = (image.detach() + STEP_SIZE * gradient.sign()).clamp(clean - EPS, clean + EPS).clamp(0, 1)
        net.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(image.detach())["main"], label).backward()
        optimizer.step()


def hardening(steps: int) -> Step:
    """Make the step of adversarial training."""
    return Adversarial([TASK], {"main": 1.0}, LastIteratePGD(steps=steps, step_size=STEP_SIZE), Linf(EPS))


def compared(steps: int, *, repetitions: int) -> Finding:
    """Measure training on PGD of so many steps."""
    batches = drawn(BATCHES)
    ours, bare = model(), model()
    optimizers = [torch.optim.SGD(net.parameters(), 0.01, momentum=0.9) for net in (ours, bare)]
    step = hardening(steps)
    fabric = Fabric(accelerator="cpu", devices=1)
    actions = {
        "ours": lambda: fit(ours, step, batches, optimizer=optimizers[0], fabric=fabric, plan=Plan(epochs=1)),
        "floor": lambda: floor(bare, batches, optimizer=optimizers[1], steps=steps),
    }
    found = ratio(rounds(actions, repetitions=repetitions), of="ours", to="floor")
    what = f"adversarial training on PGD-{steps} / its floor, SmallResNet, {BATCH} images"
    return at_most(1.05, case="training_step", what=what, found=found)


def readings(step: Step, *, batches: int) -> int:
    """Count how often an epoch asks the device for a number."""
    net, given = model(), drawn(batches)
    fabric = Fabric(accelerator="cpu", devices=1)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        fit(net, step, given, optimizer=SGD(0.01).build(net.parameters()), fabric=fabric)
    return sum(event.count for event in seen.key_averages() if event.key in READINGS)


def asked(steps: int) -> Finding:
    """Count the readings of one step: of an epoch, those that it has more than an epoch of one step less."""
    step = hardening(steps)
    more, fewer = readings(step, batches=2), readings(step, batches=1)
    what = f"numbers that a step of adversarial training on PGD-{steps} waits for, by the profiler"
    return at_most(0, case="training_step", what=what, found=summary([float(more - fewer)]))


def run(repetitions: int) -> Iterator[Finding]:
    """Measure a short and a usual inner attack."""
    for steps in (2, 7):
        yield compared(steps, repetitions=repetitions)
    yield asked(7)
