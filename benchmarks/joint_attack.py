"""What a joint attack on many tasks costs beside an attack on one, of the same model with as many steps.

One pass through the shared encoder serves all heads, so that the joint attack pays for the other heads' backward passes
alone: a model answers all tasks, also where one of them is attacked. Beside it stands an attack on a model from which
the other heads were taken away. A single attack is the mean over the tasks.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from benchmarks.timing import Action, Finding, at_most, rounds, summary
from manyheads.attacks import PGD
from manyheads.data import Loader, drawn_scenes
from manyheads.models import DenseResNet18, MultiTaskModel, SmallDecoder, SmallDenseNet, UpsamplingDecoder, dense_heads
from manyheads.tasks import Task, paper_task
from manyheads.threats import Linf, TaskLoss, ThreatModel

STEPS, SIZE = 5, (96, 128)
ROOMS = drawn_scenes(examples=2, size=SIZE)


def small(tasks: tuple[Task, ...]) -> MultiTaskModel:
    """Make the network that trains on a processor."""
    encoder = SmallDenseNet()
    return MultiTaskModel(encoder, dense_heads(tasks, features=encoder.features, decoder=SmallDecoder)).eval()


def paper(tasks: tuple[Task, ...]) -> MultiTaskModel:
    """Make the paper's network for Taskonomy."""
    encoder = DenseResNet18()
    return MultiTaskModel(encoder, dense_heads(tasks, features=encoder.features, decoder=UpsamplingDecoder)).eval()


def attacker(model: MultiTaskModel, batch: Mapping[str, Tensor], *, tasks: tuple[Task, ...]) -> Action:
    """Make an attack on some of a model's tasks."""
    known = tuple(task for task in tasks if task.name in model.heads)
    objective = TaskLoss(known, {task.name: 1.0 for task in known})
    threat = ThreatModel(name="bench", model=model, tasks=known, objective=objective, budget=Linf(4 / 255))
    loss, attack = threat.loss(batch), PGD(steps=STEPS, step_size=1 / 255)
    return lambda: attack(loss, batch["image"], threat.budget, rng=torch.Generator().manual_seed(0))


def compared(
    model: MultiTaskModel, tasks: tuple[Task, ...], *, network: str, limits: tuple[float, float], repetitions: int
) -> Iterator[Finding]:
    """Measure one network: the joint attack beside single ones on the same model, and on one without other heads."""
    batch = next(iter(Loader(ROOMS, batch_size=len(ROOMS))))
    actions = {"joint": attacker(model, batch, tasks=tasks)}
    for task in tasks:
        beheaded = MultiTaskModel(model.encoder, {task.name: model.heads[task.name]}).eval()
        actions[task.name] = attacker(model, batch, tasks=(task,))
        actions[f"{task.name} alone"] = attacker(beheaded, batch, tasks=(task,))
    times = rounds(actions, repetitions=repetitions)
    for where, beside, limit in (
        ("the same model", "", limits[0]),
        ("a model without other heads", " alone", limits[1]),
    ):
        singles = [times[f"{task.name}{beside}"] for task in tasks]
        means = [sum(one) / len(one) for one in zip(*singles, strict=True)]
        found = summary([one / mean for one, mean in zip(times["joint"], means, strict=True)])
        what = f"PGD-{STEPS} on {len(tasks)} tasks / on one, {where}, {network}, images of {SIZE[0]}x{SIZE[1]}"
        yield at_most(limit, case="joint_attack", what=what, found=found)


def tasks_of(letters: str) -> tuple[Task, ...]:
    """Make tasks by the paper's letters."""
    return tuple(paper_task(letter, classes=ROOMS.class_names) for letter in letters)


def run(repetitions: int) -> Iterator[Finding]:
    """Measure two networks with five tasks, and the small one with all eleven."""
    for make, letters, limits in (
        (small, "sdneA", (1.6, 5.0)),
        (paper, "sdneA", (1.6, 5.0)),
        (small, "sdDneEkKprA", (2.5, 11.0)),
    ):
        tasks = tasks_of(letters)
        model = make(tasks)
        network = type(model.encoder).__name__
        yield from compared(model, tasks, network=network, limits=limits, repetitions=repetitions)
