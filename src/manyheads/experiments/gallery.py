"""Galleries: a few attacked examples, kept as images for a person to look at."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from manyheads.evaluation import Attacked
from manyheads.experiments.files import keep


@dataclass(eq=False)
class Gallery:
    """The first examples of an evaluation, with what each head said.

    Args:
        size: how many examples to keep.
        kept: what was kept so far: tensors by name, batch by batch.
        count: how many examples that are.
    """

    size: int = 64
    kept: dict[str, list[Tensor]] = field(default_factory=dict)
    count: int = 0

    def observe(self, attacked: Attacked) -> None:
        """Keep what there is still room for."""
        room = self.size - self.count
        if room <= 0:
            return
        tensors = {"index": attacked.index, "clean": attacked.clean, "attacked": attacked.image}
        for task, truth in attacked.truth.items():
            tensors[f"truth.{task}"] = truth
            tensors[f"clean.{task}"] = attacked.before[task].argmax(1)
            tensors[f"attacked.{task}"] = attacked.after[task].argmax(1)
        never = torch.zeros(len(attacked.index), dtype=torch.bool)
        for place, when in enumerate(("clean", "attacked")):
            tensors[f"rejected_{when}"] = attacked.decisions[place].rejected if attacked.decisions else never
        for name, tensor in tensors.items():
            self.kept.setdefault(name, []).append(tensor[:room].detach().cpu())
        self.count += min(room, len(attacked.index))

    def save(self, path: Path) -> None:
        """Write the kept examples as safetensors."""
        keep(path, save({name: torch.cat(parts).contiguous() for name, parts in self.kept.items()}))
