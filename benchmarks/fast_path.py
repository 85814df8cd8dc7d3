"""What the fast path saves, ingredient by ingredient, and how often its images win.

Time: one forward pass and input gradient of a model as it is (the floor, float32), with channels last, with its batch
norms folded, and with both, which is the copy that `Fast` searches on; in bfloat16 where that pays. Then PGD and
Fast(PGD) whole, verification included.

Strength: networks trained on scikit-learn's digits, plainly and on attacked images, attacked within several eps by PGD
and by Fast(PGD) in float32 and in bfloat16, which every processor can do, if slowly. Who wins, the model says in
float32.
"""

from collections.abc import Iterator
from copy import deepcopy

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from benchmarks.timing import Action, Finding, at_most, ratio, rounds, summary
from manyheads.attacks import PGD, Attack, Fast
from manyheads.models import (
    Acceleration,
    MultiTaskModel,
    ResNet18,
    SmallResNet,
    accelerated,
    bfloat16_pays,
    folded,
    linear_heads,
)
from manyheads.tasks import classify
from manyheads.threats import Linf, Loss, TaskLoss, ThreatModel

TASK = classify("main", classes=10)
SINGLE, HALF = Acceleration(precision=torch.float32), Acceleration(precision=torch.bfloat16)
NETWORKS = {"SmallResNet": SmallResNet, "ResNet18": ResNet18}
STEPS, BATCH = 40, 8


def attacker(model: nn.Module, label: Tensor) -> Loss:
    """Make what an attack on the model sees."""
    objective = TaskLoss([TASK], {"main": 1.0})
    threat = ThreatModel(name="bench", model=model, tasks=[TASK], objective=objective, budget=Linf(0.1))
    return threat.loss({"label": label})


def gradient(model: nn.Module, image: Tensor, *, label: Tensor) -> Action:
    """Make one forward pass and input gradient."""

    def step() -> Tensor:
        given = image.detach().requires_grad_()
        loss = nn.functional.cross_entropy(model(given)["main"], label, reduction="sum")
        return torch.autograd.grad(loss, given)[0]

    return step


def ingredients(model: nn.Module, image: Tensor, *, label: Tensor) -> dict[str, Action]:
    """Make the steps that are compared, the floor first."""
    last = deepcopy(model)
    convert_conv2d_weight_memory_format(last, torch.channels_last)
    steps = {
        "floor": gradient(model, image, label=label),
        "channels last": gradient(last, image.contiguous(memory_format=torch.channels_last), label=label),
        "folded": gradient(folded(model, example=image[:1]), image, label=label),
        "both": gradient(accelerated(model, SINGLE, example=image[:1]), image, label=label),
    }
    if bfloat16_pays(torch.device("cpu")):
        steps["both, bfloat16"] = gradient(accelerated(model, HALF, example=image[:1]), image, label=label)
    return steps


def attacks(model: nn.Module, image: Tensor, *, label: Tensor, search: Attack) -> dict[str, Action]:
    """Make the whole attacks that are compared: the search itself, and on the copy."""
    loss = attacker(model, label)

    def running(attack: Attack) -> Action:
        return lambda: attack(loss, image, Linf(0.1), rng=torch.Generator().manual_seed(0))

    return {"PGD": running(search), "Fast(PGD)": running(Fast(search))}


def saved(name: str, *, repetitions: int) -> Iterator[Finding]:
    """Measure what each ingredient saves, and the whole."""
    encoder = NETWORKS[name]()
    model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features)).eval()
    image = torch.rand(BATCH, 3, 32, 32)
    label = model(image)["main"].argmax(1)
    steps = rounds(ingredients(model, image, label=label), repetitions=repetitions)
    for one in list(steps)[1:]:
        what = f"forward pass and input gradient, {one} / as it is, {name}, {BATCH} images"
        found = ratio(steps, of=one, to="floor")
        if "bfloat16" in one:
            yield at_most(0.5, case="fast_path", what=what, found=found)
        else:
            yield Finding(case="fast_path", what=what, ratio=found)
    whole = attacks(model, image, label=label, search=PGD(steps=STEPS, step_size=0.01))
    found = ratio(rounds(whole, repetitions=max(repetitions // 2, 3)), of="Fast(PGD)", to="PGD")
    yield Finding(case="fast_path", what=f"Fast(PGD-{STEPS}) / PGD, verified, {name}, {BATCH} images", ratio=found)


def trained(image: Tensor, label: Tensor, *, attack: Attack | None, epochs: int = 8) -> nn.Module:
    """Train a small residual network on digits, on attacked ones if there is an attack."""
    encoder = SmallResNet(channels=1, stem_stride=1)
    model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(image)).split(100):
            given = image[rows]
            if attack is not None:
                given = attack(attacker(model, label[rows]), given, Linf(0.15))
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(given)["main"], label[rows]).backward()
            optimizer.step()
    return model.eval()


def strength(model: nn.Module, image: Tensor, *, label: Tensor, training: str) -> Iterator[Finding]:
    """Compare how many examples each search wins."""
    loss = attacker(model, label)
    for eps in (0.1, 0.15, 0.2):
        search = PGD(steps=10, step_size=eps / 4)
        won = {
            name: loss.won(attack(loss, image, Linf(eps), rng=torch.Generator().manual_seed(0)))
            for name, attack in (("PGD", search), ("float32", Fast(search, SINGLE)), ("bfloat16", Fast(search, HALF)))
        }
        plain = int(won["PGD"].sum())
        for name in ("float32", "bfloat16"):
            lost = summary([100 * (plain - int(won[name].sum())) / len(image)])
            what = f"points of success that Fast(PGD-10) in {name} loses, {training} digits, eps {eps}"
            aside = f"{int(won[name].sum())} and {plain} of {len(image)}"
            yield at_most(0.5, case="fast_path", what=what, found=lost, aside=aside)


def run(repetitions: int) -> Iterator[Finding]:
    """Measure time and strength."""
    for name in NETWORKS:
        yield from saved(name, repetitions=repetitions)
    pixels, classes = load_digits(return_X_y=True)
    image, label = torch.tensor(pixels / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(classes)
    for training, attack in (("plain", None), ("hardened", PGD(steps=5, step_size=0.05))):
        model = trained(image[:1500], label[:1500], attack=attack)
        yield from strength(model, image[1500:], label=label[1500:], training=training)
