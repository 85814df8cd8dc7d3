"""A small dense victim and eleven frames; as a script, it evaluates them in two processes that talk through gloo."""

import os
import sys
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.evaluation import Facts, evaluate
from manyheads.tasks import UNKNOWN_CLASS, Annotation, Segmentation, Task, classify
from manyheads.tasks.error_metrics import AbsoluteError
from manyheads.tasks.losses import MaskedCrossEntropy, MaskedL1
from manyheads.threats import Linf, TaskLoss, ThreatModel

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
ATTACK = PGD(steps=2, step_size=0.03)
NO_GROUND, NO_DEPTH, NO_ROOM = 4, 7, 9


class Ground:
    """Makes a counter of three classes."""

    def __call__(self) -> Segmentation:
        return Segmentation(3)


TASKS = (
    Task(name="ground", channels=3, target=Annotation("ground"), loss=MaskedCrossEntropy(), metric=Ground()),
    Task(name="depth", channels=1, target=Annotation("depth"), loss=MaskedL1(), metric=AbsoluteError),
    classify("room", classes=4),
)


class Dense(nn.Module):
    """A shared convolution, two heads for each pixel and one for the frame."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(3, 8, 3, padding=1)
        self.heads = nn.ModuleDict({"ground": nn.Conv2d(8, 3, 1), "depth": nn.Conv2d(8, 1, 1), "room": nn.Linear(8, 4)})

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = torch.tanh(3 * self.shared(image))
        dense = {name: 3 * self.heads[name](features) for name in ("ground", "depth")}
        return {**dense, "room": self.heads["room"](features.mean((2, 3)))}


def model() -> nn.Module:
    """Make the victim with its weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Dense().to(DEVICE)


def frames() -> dict[str, Tensor]:
    """Eleven frames; one has no class, one no depth, one no room, and all have unknown pixels."""
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(11, 3, 6, 6, generator=generator)
    ground = torch.randint(3, (11, 6, 6), generator=generator)
    depth = 1 + torch.rand(11, 1, 6, 6, generator=generator)
    label = torch.randint(4, (11,), generator=generator)
    ground[:, 0, 0], depth[:, :, 1, 1] = UNKNOWN_CLASS, torch.nan
    ground[NO_GROUND], depth[NO_DEPTH], label[NO_ROOM] = UNKNOWN_CLASS, torch.nan, UNKNOWN_CLASS
    columns = {"image": image, "ground": ground, "depth": depth, "label": label, "index": torch.arange(11) * 2}
    return {name: value.to(DEVICE) for name, value in columns.items()}


def batches(size: int = 4, *, rows: slice = slice(None)) -> list[dict[str, Tensor]]:
    """Some of the frames in batches of a size."""
    some = {name: value[rows] for name, value in frames().items()}
    count = len(some["index"])
    return [{name: value[row : row + size] for name, value in some.items()} for row in range(0, count, size)]


def threat(victim: nn.Module, **weights: float) -> ThreatModel:
    """Make an attacker of the weighted tasks."""
    objective = TaskLoss(TASKS, weights or {"ground": 1.0, "depth": 1.0})
    return ThreatModel(name="all heads", model=victim, tasks=TASKS, objective=objective, budget=Linf(0.05))


def evaluated(**weights: float) -> Facts:
    """Evaluate all frames in one process."""
    victim = model()
    return evaluate(victim, threat(victim, **weights), ATTACK, batches())


def main(folder: Path) -> None:
    """Let each process evaluate its half, the last frame of the odd number twice, and write down what it got."""
    torch.set_num_threads(1)
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    victim = model()
    part = (slice(0, 6), slice(5, 11))[fabric.global_rank]
    facts = evaluate(victim, threat(victim), ATTACK, batches(rows=part), fabric=fabric)
    facts.save(folder / f"{fabric.global_rank}.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
