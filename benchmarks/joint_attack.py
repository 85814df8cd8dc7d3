"""What a joint attack on five tasks costs beside an attack on one, of the same model with as many steps.

One pass through the shared encoder serves all heads, so that the joint attack pays for the other heads' backward passes
alone: a model answers all tasks, also where one of them is attacked. Beside it stands an attack on a model from which
the other heads were taken away. All run in turn in one process, on one thread, in float32; ratios are taken round by
round, so that a machine that slows down slows all. A single attack is the mean over the five tasks.

    python benchmarks/joint_attack.py --repetitions 10
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from manyheads.attacks import PGD
from manyheads.models import (
    DenseResNet18,
    MultiTaskModel,
    SmallDecoder,
    SmallDenseNet,
    UpsamplingDecoder,
    dense_heads,
)
from manyheads.tasks import Task, paper_task
from manyheads.threats import Linf, Loss, TaskLoss, ThreatModel

TASKS = tuple(paper_task(letter) for letter in "sdneA")
CLASSES = TASKS[0].channels


def small() -> MultiTaskModel:
    """Make the network that trains on a processor."""
    encoder = SmallDenseNet()
    return MultiTaskModel(encoder, dense_heads(TASKS, features=encoder.features, decoder=SmallDecoder))


def paper() -> MultiTaskModel:
    """Make the paper's network for Taskonomy."""
    encoder = DenseResNet18()
    return MultiTaskModel(encoder, dense_heads(TASKS, features=encoder.features, decoder=UpsamplingDecoder))


def frames(count: int, *, height: int, width: int) -> dict[str, Tensor]:
    """Draw frames with annotations, a tenth of whose pixels are unknown."""
    numbers = {"image": 3, "depth": 1, "normal": 3, "texture_edges": 1}
    batch = {name: torch.rand(count, channels, height, width) for name, channels in numbers.items()}
    unknown = torch.rand(count, 1, height, width) < 0.1
    batch["segmentation"] = torch.randint(CLASSES, (count, height, width)).where(~unknown[:, 0], -1)
    for name in ("depth", "normal"):
        batch[name] = batch[name].where(~unknown, torch.nan)
    return batch


def attacker(model: MultiTaskModel, batch: Mapping[str, Tensor], *, attacked: tuple[Task, ...]) -> Loss:
    """Make what an attack on some of the tasks sees."""
    objective = TaskLoss(TASKS, {task.name: 1.0 for task in attacked})
    threat = ThreatModel(name="bench", model=model, tasks=TASKS, objective=objective, budget=Linf(4 / 255))
    return threat.loss(batch)


def seconds(action: Callable[[], object]) -> float:
    """Time one run, in the processor's time: on one thread, other programs then disturb less."""
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(model: MultiTaskModel, batch: Mapping[str, Tensor], *, steps: int, repetitions: int) -> list[list[float]]:
    """Return the seconds of the joint attack, of that on each task, and of that on each task without other heads."""
    attack, budget = PGD(steps=steps, step_size=1 / 255), Linf(4 / 255)
    losses = [attacker(model, batch, attacked=TASKS)]
    losses += [attacker(model, batch, attacked=(task,)) for task in TASKS]
    for task in TASKS:
        beheaded = MultiTaskModel(model.encoder, {task.name: model.heads[task.name]}).eval()
        losses.append(attacker(beheaded, batch, attacked=(task,)))

    def run(loss: Loss) -> Callable[[], Tensor]:
        return lambda: attack(loss, batch["image"], budget, rng=torch.Generator().manual_seed(0))

    actions = [run(loss) for loss in losses]
    for action in actions:  # the first runs allocate and warm up
        action()
    return [[seconds(action) for action in actions] for _ in range(repetitions)]


def spread(ratios: list[float]) -> str:
    """Say the median and the quartiles."""
    ordered = sorted(ratios)
    low, high = ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]
    return f"{statistics.median(ordered):.2f} (quartiles {low:.2f} to {high:.2f})"


def main() -> None:
    """Measure both networks and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=10, help="runs of each attack on each network")
    parser.add_argument("--steps", type=int, default=5, help="steps of PGD")
    parser.add_argument("--batch", type=int, default=2, help="images at once")
    parser.add_argument("--size", type=int, nargs=2, default=(96, 128), help="height and width, multiples of 32")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    height, width = options.size
    print(
        f"PGD-{options.steps}, {options.batch} images of {height}x{width}, {len(TASKS)} tasks, float32, one thread, "
        f"torch {torch.__version__}, n={options.repetitions}"
    )
    for name, make in (("SmallDenseNet", small), ("DenseResNet18", paper)):
        batch = frames(options.batch, height=height, width=width)
        runs = measure(make().eval(), batch, steps=options.steps, repetitions=options.repetitions)
        five = len(TASKS)
        joint = [five * times[0] / sum(times[1 : 1 + five]) for times in runs]
        beheaded = [five * times[0] / sum(times[1 + five :]) for times in runs]
        print(f"{name}, single attack {statistics.median(sum(times[1 : 1 + five]) / five for times in runs):.2f} s")
        print(f"  joint / single {spread(joint)}, where five separate attacks take {five}")
        print(f"  joint / single without other heads {spread(beheaded)}")


if __name__ == "__main__":
    main()
