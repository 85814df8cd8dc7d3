"""What PGD costs beside the bare loop of forward passes, input gradients, sign steps and clamps.

Both take as many steps on the same images. PGD also judges its last step, a forward pass more than the bare loop has.
"""

from collections.abc import Iterator
from statistics import median

import torch
from torch import Tensor, nn

from benchmarks.timing import Action, Finding, at_most, ratio, rounds, summary
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


class OneLayer(nn.Module):
    """A network whose passes cost next to nothing."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.layer = nn.Linear(pixels, TASK.channels)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the scores of the one task."""
        return {"main": self.layer(image.flatten(1))}


def both(model: nn.Module, clean: Tensor, *, label: Tensor) -> dict[str, Action]:
    """Let PGD and the bare loop attack the same images."""
    objective = TaskLoss([TASK], {"main": 1.0})
    threat = ThreatModel(name="bench", model=model, tasks=[TASK], objective=objective, budget=Linf(EPS))
    loss, attack = threat.loss({"label": label}), PGD(steps=STEPS, step_size=STEP_SIZE)
    return {
        "PGD": lambda: attack(loss, clean, threat.budget, rng=torch.Generator().manual_seed(0)),
        "bare": lambda: bare_loop(model, clean, label=label, steps=STEPS),
    }


def compared(network: type[LeNet | SmallResNet], *, repetitions: int) -> Iterator[Finding]:
    """Measure one network: PGD beside the bare loop, and the parts that make up the difference.

    A difference of a hundredth drowns in what two runs of the same program differ by. What PGD does beside the passes
    is therefore measured where passes are short, too, and the pass that judges the last step by itself.
    """
    encoder = network()
    model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features)).eval()
    clean, label = torch.rand(BATCH, *SHAPES[network]), torch.arange(BATCH) % TASK.channels
    short = both(OneLayer(clean[0].numel()).eval(), clean, label=label)
    actions = both(model, clean, label=label) | {f"short {name}": action for name, action in short.items()}
    times = rounds(actions | {"pass": lambda: last_pass(model, clean)}, repetitions=repetitions)
    what = f"PGD-{STEPS} / bare loop, {network.__name__}, {BATCH} images"
    yield at_most(1.02, case="pgd_overhead", what=what, found=ratio(times, of="PGD", to="bare"))
    columns = (times[name] for name in ("short PGD", "short bare", "pass", "bare"))
    shares = [1 + (one - other + last) / floor for one, other, last, floor in zip(*columns, strict=True)]
    beside = 1e3 * (median(times["short PGD"]) - median(times["short bare"])) / STEPS
    aside = f"{beside:.2f} ms a step beside its passes"
    yield at_most(1.02, case="pgd_overhead", what=f"{what}, by its parts", found=summary(shares), aside=aside)


def last_pass(model: nn.Module, image: Tensor) -> Tensor:
    """Judge images."""
    with torch.no_grad():
        return model(image)["main"]


def run(repetitions: int) -> Iterator[Finding]:
    """Measure both networks."""
    for network in SHAPES:
        yield from compared(network, repetitions=repetitions)
