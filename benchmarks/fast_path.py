"""What the fast path saves, ingredient by ingredient, and how often its images win.

Time: one forward pass and input gradient of a model as it is (the floor, float32), with channels last, with its batch
norms folded, and with both, which is the copy that `Fast` searches on; in bfloat16 where that pays, or when asked for;
compiled when asked for. Then PGD and Fast(PGD) whole, verification included. All are run in turn in one process, on one
thread, on the same images, and the ratio is taken round by round.

Strength: networks trained on scikit-learn's digits, plainly and on attacked images, attacked within several eps by PGD
and by Fast(PGD) in float32 and in bfloat16, which every processor can do, if slowly. Who wins, the model says in
float32.

    python benchmarks/fast_path.py --repetitions 10
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from copy import deepcopy

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

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
COMPILED = Acceleration(precision=torch.float32, compiler=torch.compile)
NETWORKS = {"SmallResNet": SmallResNet, "ResNet18": ResNet18}
Action = Callable[[], object]


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


def ingredients(
    model: nn.Module, image: Tensor, *, label: Tensor, more: Mapping[str, Acceleration]
) -> dict[str, Action]:
    """Make the steps that are compared, the floor first."""
    last = deepcopy(model)
    convert_conv2d_weight_memory_format(last, torch.channels_last)
    steps = {
        "floor": gradient(model, image, label=label),
        "channels last": gradient(last, image.contiguous(memory_format=torch.channels_last), label=label),
        "folded": gradient(folded(model, example=image[:1]), image, label=label),
        "both": gradient(accelerated(model, SINGLE, example=image[:1]), image, label=label),
    }
    for name, how in more.items():
        steps[name] = gradient(accelerated(model, how, example=image[:1]), image, label=label)
    return steps


def attacks(model: nn.Module, image: Tensor, *, label: Tensor, search: Attack) -> dict[str, Action]:
    """Make the whole attacks that are compared: the search itself, and on the copy."""
    loss = attacker(model, label)

    def running(attack: Attack) -> Action:
        return lambda: attack(loss, image, Linf(0.1), rng=torch.Generator().manual_seed(0))

    return {"PGD": running(search), "Fast(PGD)": running(Fast(search))}


def compare(actions: Mapping[str, Action], *, repetitions: int) -> None:
    """Run all in turn, each round from another one on, and print each one's ratio to the first."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    names = list(actions)
    for number in range(repetitions):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            start = time.process_time()
            actions[name]()
            seconds[name].append(time.process_time() - start)
    for name in names[1:]:
        ratios = sorted(mine / floor for mine, floor in zip(seconds[name], seconds[names[0]], strict=True))
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        print(
            f"  {name:14} / {names[0]} {statistics.median(ratios):.3f} (quartiles {low:.3f} to {high:.3f}, "
            f"n={len(ratios)}), {statistics.median(seconds[name]):.4f} s"
        )


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


def strength(model: nn.Module, image: Tensor, *, label: Tensor, steps: int) -> None:
    """Print how many examples each search wins."""
    loss = attacker(model, label)
    for eps in (0.1, 0.15, 0.2):
        search = PGD(steps=steps, step_size=eps / 4)
        won = {
            name: loss.won(attack(loss, image, Linf(eps), rng=torch.Generator().manual_seed(0)))
            for name, attack in (("PGD", search), ("float32", Fast(search, SINGLE)), ("bfloat16", Fast(search, HALF)))
        }
        counts = ", ".join(f"{name} {int(flags.sum())}" for name, flags in won.items())
        lost, gained = (won["PGD"] & ~won["bfloat16"]).sum(), (won["bfloat16"] & ~won["PGD"]).sum()
        print(
            f"  eps {eps}: {counts} of {len(image)}; bfloat16 misses {int(lost)} of PGD's and finds {int(gained)} more"
        )


def main() -> None:
    """Measure time and strength."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=10, help="rounds")
    parser.add_argument("--steps", type=int, default=40, help="steps of PGD")
    parser.add_argument("--batch", type=int, default=8, help="images at once")
    parser.add_argument("--bfloat16", action="store_true", help="time bfloat16 even where it does not pay")
    parser.add_argument(
        "--compiled", action="store_true", help="time torch.compile, which needs a compiler and minutes"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pays = bfloat16_pays(torch.device("cpu"))
    more = {"bfloat16": HALF} if pays or options.bfloat16 else {}
    more |= {"both, compiled": COMPILED} if options.compiled else {}
    units = "with" if pays else "without"
    print(f"batch {options.batch}, PGD-{options.steps}, one thread, {units} bfloat16 units, torch {torch.__version__}")
    for name, network in NETWORKS.items():
        encoder = network()
        model = MultiTaskModel(encoder, linear_heads([TASK], features=encoder.features)).eval()
        image = torch.rand(options.batch, 3, 32, 32)
        label = model(image)["main"].argmax(1)
        print(f"{name}, 3x32x32")
        compare(ingredients(model, image, label=label, more=more), repetitions=options.repetitions)
        search = PGD(steps=options.steps, step_size=0.01)
        compare(attacks(model, image, label=label, search=search), repetitions=max(options.repetitions // 2, 3))
    pixels, classes = load_digits(return_X_y=True)
    image, label = torch.tensor(pixels / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(classes)
    for name, attack in (("plainly", None), ("on attacked digits", PGD(steps=5, step_size=0.05))):
        model = trained(image[:1500], label[:1500], attack=attack)
        right = float((model(image[1500:])["main"].argmax(1) == label[1500:]).float().mean())
        print(f"SmallResNet trained {name}, {right:.1%} of 297 digits right, PGD-10")
        strength(model, image[1500:], label=label[1500:], steps=10)


if __name__ == "__main__":
    main()
