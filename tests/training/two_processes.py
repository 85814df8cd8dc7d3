"""Training in two processes that talk through gloo; as a script, it starts the second one itself."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.data import Loader, Shard, sklearn_digits, take
from manyheads.models import MultiTaskModel, linear_heads, save_weights, seeded
from manyheads.tasks import classify, maps, regroup
from manyheads.threats import Linf
from manyheads.training import SGD, Adversarial, Checkpoints, Clean, Measurement, Plan, Step, fit

TASKS = (classify("digit", classes=10), regroup("parity", maps.load("mnist/parity")))
PLAIN = (nn.Flatten(), nn.Linear(64, 24), nn.ReLU())
NORMED = (nn.Flatten(), nn.Linear(64, 24), nn.BatchNorm1d(24), nn.ReLU())
HARDENED = Adversarial(TASKS, {"digit": 1.0}, PGD(steps=2, step_size=0.1), Linf(0.2))


class Encoder(nn.Module):
    """A few layers."""

    features = 24

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """Return the features."""
        return self.layers(image)


def make_model(*layers: nn.Module) -> MultiTaskModel:
    """Make the model with its first weights."""
    return seeded(lambda: MultiTaskModel(Encoder(*layers), linear_heads(TASKS, features=24)), seed=0)


def batches(shard: Shard, *, count: int = 40) -> Loader:
    """Every process's part of the joint batches of twenty."""
    return Loader(
        take(sklearn_digits("train"), count=count, seed=0), batch_size=20 // shard.world, shuffle=True, shard=shard
    )


def train(
    model: MultiTaskModel, step: Step, *, fabric: Fabric | None = None, plan: Plan | None = None, count: int = 40
) -> tuple[Measurement, ...]:
    """Train two epochs."""
    shard = Shard(fabric.global_rank, fabric.world_size) if fabric is not None else Shard()
    optimizer = SGD(learning_rate=0.1).build(model.parameters())
    plan = plan or Plan(epochs=2)
    return fit(model, step, batches(shard, count=count), optimizer=optimizer, fabric=fabric, plan=plan)


def main(folder: Path) -> None:
    """Train in every way, and write down what each process is left with."""
    torch.set_num_threads(1)
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    rank = fabric.global_rank
    written = {}
    for name, step in (("clean", Clean(TASKS)), ("hardened", HARDENED)):
        model = make_model(*PLAIN)
        written[name] = [asdict(line) for line in train(model, step, fabric=fabric)]
        save_weights(model, folder / f"{name} {rank}.safetensors")
    model = make_model(*NORMED)
    plan = Plan(epochs=5, validate=lambda _: {"robust": -float(rank)}, patience=1, checkpoints=Checkpoints(folder))
    plan = Plan(epochs=2, validate=lambda _: {"robust": float(rank)}, checkpoints=Checkpoints(folder))
    written["normed"] = [asdict(line) for line in train(model, Clean(TASKS), fabric=fabric, plan=plan)]
    plan.checkpoints.load_best(make_model(*NORMED))
    save_weights(model, folder / f"normed {rank}.safetensors")
    try:
        train(make_model(*PLAIN), Clean(TASKS), fabric=fabric, count=41)
    except ValueError as error:
        written["unequal"] = str(error)
    (folder / f"{rank}.json").write_text(json.dumps(written))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
