"""How the cost of an attack grows with the work: images, steps, heads of a classifier, dense tasks, and restarts.

Each finding is how many times as long it takes to do several times as much; both are the same where cost is
proportional.
"""

from collections.abc import Iterator

import torch

from benchmarks.joint_attack import attacker, small, tasks_of
from benchmarks.timing import Action, Finding, ratio, rounds
from manyheads.attacks import PGD, Attack, Restarts
from manyheads.data import Loader, drawn_scenes
from manyheads.models import MultiTaskModel, SmallResNet, linear_heads
from manyheads.tasks import LabelMap, Task, classify, regroup
from manyheads.threats import Linf, TaskLoss, ThreatModel

MAIN = classify("main", classes=10)
IMAGES, STEPS = 8, 10


def heads(count: int) -> tuple[Task, ...]:
    """Make the main task and so many in all."""
    hidden = [regroup(f"hidden{i}", LabelMap(("no", "yes"), (0, 1) * 5)) for i in range(count - 1)]
    return (MAIN, *hidden)


def search(*, images: int = IMAGES, steps: int = STEPS, tasks: int = 1, restarts: int = 1) -> Action:
    """Make an attack on all heads of a classifier."""
    known = heads(tasks)
    torch.manual_seed(0)
    encoder = SmallResNet()
    model = MultiTaskModel(encoder, linear_heads(known, features=encoder.features)).eval()
    image, label = torch.rand(images, 3, 32, 32), torch.arange(images) % 10
    objective = TaskLoss(known, dict.fromkeys((task.name for task in known), 1.0))
    threat = ThreatModel(name="bench", model=model, tasks=known, objective=objective, budget=Linf(8 / 255))
    loss = threat.loss({"label": label})
    attack: Attack = PGD(steps=steps, step_size=2 / 255)
    attack = Restarts(attack, times=restarts) if restarts > 1 else attack
    return lambda: attack(loss, image, threat.budget, rng=torch.Generator().manual_seed(0))


def dense(letters: str) -> Action:
    """Make a joint attack on dense tasks of a small network."""
    tasks = tasks_of(letters)
    rooms = drawn_scenes(examples=2, size=(96, 128))
    return attacker(small(tasks), next(iter(Loader(rooms, batch_size=2))), tasks=tasks)


def run(repetitions: int) -> Iterator[Finding]:
    """Measure each way to grow, beside the same start."""
    torch.manual_seed(0)
    start = f"PGD-{STEPS}, SmallResNet, {IMAGES} images"
    grown: dict[str, tuple[str, Action]] = {
        "images": (f"8 times the images; {start}", search(images=8 * IMAGES)),
        "steps": (f"8 times the steps; {start}", search(steps=8 * STEPS)),
        "heads": (f"8 heads for one; {start}", search(tasks=8)),
        "restarts": (f"up to 4 starts for one; {start}", search(restarts=4)),
    }
    actions = {"start": search(), **{name: action for name, (_, action) in grown.items()}}
    times = rounds(actions, repetitions=repetitions)
    each = 1e3 * min(times["start"]) / IMAGES / (STEPS + 1)
    for name, (what, _) in grown.items():
        aside = f"{each:.2f} ms per image and step at the start" if name == "images" else ""
        yield Finding(case="scale", what=what, ratio=ratio(times, of=name, to="start"), aside=aside)
    joint = {"1": dense("s"), "5": dense("sdneA"), "11": dense("sdDneEkKprA")}
    times = rounds(joint, repetitions=repetitions)
    for name in ("5", "11"):
        what = f"{name} dense tasks for one, a head each, SmallDenseNet"
        yield Finding(case="scale", what=what, ratio=ratio(times, of=name, to="1"))
