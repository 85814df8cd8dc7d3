"""Galleries: a few attacked examples, kept as images for a person to look at."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import torch
from lightning_fabric import Fabric
from safetensors.torch import save
from torch import Tensor

from manyheads.evaluation import Attacked
from manyheads.experiments.files import keep
from manyheads.training.processes import gathered


@dataclass(eq=False)
class KeptExamples(ABC):
    """The first examples of an evaluation, with what each head said.

    Args:
        size: how many examples to keep.
        kept: what was kept so far: tensors by name, batch by batch.
        count: how many examples that are.
    """

    size: int
    kept: dict[str, list[Tensor]] = field(default_factory=dict)
    count: int = 0

    @abstractmethod
    def answers(self, attacked: Attacked, *, room: int) -> Mapping[str, Tensor]:
        """Return what is kept beside images and truth: tensors by name, of which the first `room` rows are used."""

    @final
    def observe(self, attacked: Attacked) -> None:
        """Keep what there is still room for."""
        room = self.size - self.count
        if room <= 0:
            return
        tensors = {"index": attacked.index, "clean": attacked.clean, "attacked": attacked.image}
        tensors |= {f"truth.{task}": truth for task, truth in attacked.truth.items()}
        for name, tensor in (tensors | dict(self.answers(attacked, room=room))).items():
            self.kept.setdefault(name, []).append(tensor[:room].detach().cpu())
        self.count += min(room, len(attacked.index))

    @final
    def save(self, path: Path, *, fabric: Fabric | None = None) -> None:
        """Write the kept examples as safetensors; of several processes the first one writes the first of all."""
        own = {name: torch.cat(parts) for name, parts in self.kept.items()}
        everyones = [own] if fabric is None else gathered(own, fabric)
        if fabric is None or fabric.is_global_zero:
            keep(path, save({name: self._first([theirs[name] for theirs in everyones]) for name in own}))

    def _first(self, parts: Sequence[Tensor]) -> Tensor:
        """Put the processes' rows in the order in which loaders dealt them out, and keep the first."""
        place = torch.cat([torch.arange(len(part)) * len(parts) + rank for rank, part in enumerate(parts)])
        return torch.cat(list(parts))[place.argsort()][: self.size].contiguous()


@final
@dataclass(eq=False)
class Gallery(KeptExamples):
    """The first examples of a classifier's evaluation, with the class that each head said and the guard's decisions."""

    size: int = 64

    def answers(self, attacked: Attacked, *, room: int) -> Mapping[str, Tensor]:  # noqa: ARG002 (classes cost nothing)
        """Return the classes before and after the attack, and who was rejected; nobody without a guard."""
        tensors = {f"clean.{task}": attacked.before[task].argmax(1) for task in attacked.truth}
        tensors |= {f"attacked.{task}": attacked.after[task].argmax(1) for task in attacked.truth}
        never = torch.zeros(len(attacked.index), dtype=torch.bool)
        for place, when in enumerate(("clean", "attacked")):
            tensors[f"rejected_{when}"] = attacked.decisions[place].rejected if attacked.decisions else never
        return tensors
