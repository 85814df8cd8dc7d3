"""What a step of Carlini & Wagner's attack costs beside its floor: two passes, and a step of Adam in tanh space.

Examples stop where they no longer improve, each for itself: time is divided by how many of them the network sees.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmarks.timing import Finding, at_most, ratio, rounds
from manyheads.attacks import CW
from manyheads.models import MultiTaskModel, SmallResNet, linear_heads
from manyheads.tasks import classify
from manyheads.threats import L2, Margin, ThreatModel

TASK = classify("main", classes=10)
STEPS, BATCH, RATE = 40, 16, 0.01


class Counted(nn.Module):
    """A network that counts the images it sees."""

    def __init__(self) -> None:
        super().__init__()
        encoder = SmallResNet()
        self.model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features))
        self.seen = 0

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Count and answer."""
        self.seen += len(image)
        return self.model(image)


def floor(model: nn.Module, clean: Tensor, *, label: Tensor) -> Tensor:
    """Descend as briefly as it can be written."""
    place = torch.atanh((2 * clean - 1) * 0.999999).requires_grad_()
    optimizer = torch.optim.Adam([place], RATE)
    for _ in range(STEPS):
        image = (place.tanh() + 1) / 2
        scores = model(image)["main"]
        own = scores.gather(1, label[:, None])[:, 0]
        others = scores.scatter(1, label[:, None], -torch.inf).amax(1)
        total = ((image - clean).square().flatten(1).sum(1) + (own - others).clamp_min(0)).sum()
        optimizer.zero_grad()
        total.backward(inputs=[place])
        optimizer.step()
    return (place.detach().tanh() + 1) / 2


def run(repetitions: int) -> Iterator[Finding]:
    """Measure one constant of the search."""
    model = Counted().eval()
    clean = torch.rand(BATCH, 3, 32, 32)
    label = model(clean)["main"].argmax(1).detach()
    threat = ThreatModel(name="bench", model=model, tasks=[TASK], objective=Margin(TASK), budget=L2(float("inf")))
    loss, attack = threat.loss({"label": label}), CW(STEPS, RATE, binary_search_steps=1, confidence=1e3)
    actions = {
        "ours": lambda: attack(loss, clean, threat.budget, rng=torch.Generator().manual_seed(0)),
        "floor": lambda: floor(model, clean, label=label),
    }
    passes = {}
    for name, action in actions.items():
        model.seen = 0
        action()
        passes[name] = model.seen
    times = rounds(actions, repetitions=repetitions)
    each = {name: [one / passes[name] for one in listed] for name, listed in times.items()}
    what = f"CW / its floor, per image and step, SmallResNet, {BATCH} images"
    aside = f"{passes['ours']} and {passes['floor']} images seen"
    found = ratio(each, of="ours", to="floor")
    yield at_most(1.15, case="cw_step", what=what, found=found, aside=aside)
