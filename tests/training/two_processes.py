"""Training in two processes that talk through gloo; as a script, it starts the second one itself."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.data import Loader, Place, sklearn_digits, take
from manyheads.models import MultiTaskModel, linear_heads, save_weights, seeded
from manyheads.tasks import classify, maps, regroup
from manyheads.threats import Linf
from manyheads.training import SGD, Adversarial, Aggregated, Checkpoints, Clean, Combine, Measurement, Plan, Step, fit
from manyheads.training.processes import gathered, share_weights

TASKS = (classify("digit", classes=10), regroup("parity", maps.load("mnist/parity")))
STEPS: Mapping[str, Step] = {
    "clean": Clean(TASKS),
    "hardened": Adversarial(TASKS, {"digit": 1.0}, PGD(steps=2, step_size=0.1), Linf(0.2)),
}


def unit_rows(jacobian: Tensor) -> Tensor:
    """Give every task the same length: not linear, so that it shows whether the average is taken before."""
    return (jacobian / jacobian.norm(dim=1, keepdim=True)).sum(0)


AGGREGATED = {"aggregated": Aggregated(unit_rows)}
with suppress(ImportError):  # an extra
    from torchjd.aggregation import UPGrad

    AGGREGATED["upgrad"] = Aggregated(UPGrad())


class Encoder(nn.Module):
    """One hidden layer, with something behind it."""

    features = 24

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 24), norm, nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        """Return the features."""
        return self.layers(image)


def plain_model() -> MultiTaskModel:
    """Make a model without batch norm."""
    return seeded(lambda: MultiTaskModel(Encoder(nn.Identity()), linear_heads(TASKS, features=24)), seed=0)


def normed_model() -> MultiTaskModel:
    """Make a model with batch norm."""
    return seeded(lambda: MultiTaskModel(Encoder(nn.BatchNorm1d(24)), linear_heads(TASKS, features=24)), seed=0)


def train(
    model: MultiTaskModel,
    step: Step,
    *,
    fabric: Fabric | None = None,
    plan: Plan | None = None,
    combine: Combine | None = None,
) -> tuple[Measurement, ...]:
    """Train on this process's part of joint batches of 20, 20 and 7; two epochs if nothing else is planned."""
    place = Place(rank=fabric.global_rank, world=fabric.world_size) if fabric is not None else Place()
    batches = Loader(
        take(sklearn_digits("train"), count=47, seed=0), batch_size=20 // place.world, shuffle=True, place=place
    )
    optimizer = SGD(learning_rate=0.1).build(model.parameters())
    return fit(model, step, batches, optimizer=optimizer, combine=combine, fabric=fabric, plan=plan or Plan(epochs=2))


def opinion(values: list[float]) -> Callable[[nn.Module], dict[str, float]]:
    """Stand in for a validation of which each process thinks its own."""
    waiting = iter(values)
    return lambda _: {"robust": next(waiting)}


def unequal(fabric: Fabric) -> str:
    """Give the second process one batch more, and return what both are told."""
    batch = next(iter(Loader(sklearn_digits("train"), batch_size=4)))
    model = plain_model()
    optimizer = SGD(learning_rate=0.1).build(model.parameters())
    try:
        fit(model, STEPS["clean"], [batch] * (2 + fabric.global_rank), optimizer=optimizer, fabric=fabric)
    except ValueError as error:
        return str(error)
    return "trained"


def shared(fabric: Fabric) -> list[float]:
    """Fill a layer with this process's number, and return what it holds after it was shared."""
    layer = nn.BatchNorm1d(1)
    for tensor in (layer.weight, layer.bias, layer.running_mean):
        tensor.data.fill_(fabric.global_rank + 1.0)
    share_weights(layer, fabric)
    found = [float(tensor) for tensor in (layer.weight, layer.bias, layer.running_mean)]
    return [number for each in gathered(found, fabric) for number in each]


def main(folder: Path) -> None:
    """Train in every way, and write down what each process is left with."""
    torch.set_num_threads(1)
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    rank = fabric.global_rank
    written: dict[str, object] = {}
    for name, step in STEPS.items():
        model = plain_model()
        written[name] = [asdict(line) for line in train(model, step, fabric=fabric)]
        save_weights(model, folder / f"{name} {rank}.safetensors")
    for name, combine in AGGREGATED.items():
        model = plain_model()
        lines = train(model, STEPS["clean"], fabric=fabric, combine=combine)
        written[name] = [asdict(line) for line in lines]
        save_weights(model, folder / f"{name} {rank}.safetensors")
    written["shared"] = shared(fabric)
    falling, rising = [3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0]
    for name, first in (("stopped", falling), ("carried on", rising)):
        model = normed_model()
        own = first if rank == 0 else [3.0 - value for value in first]
        plan = Plan(epochs=4, validate=opinion(own), patience=1, checkpoints=Checkpoints(folder / name))
        written[name] = [asdict(line) for line in train(model, STEPS["clean"], fabric=fabric, plan=plan)]
        save_weights(model, folder / f"{name} {rank}.safetensors")
    written["unequal"] = unequal(fabric)
    (folder / f"{rank}.json").write_text(json.dumps(written))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
