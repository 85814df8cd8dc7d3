"""Galleries of dense tasks: a few attacked frames with what every head said of them, for a person to look at."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from manyheads.evaluation import Attacked
from manyheads.experiments.files import keep


@dataclass(eq=False)
class DenseGallery:
    """The first frames of an evaluation, with truth and predictions per pixel.

    Args:
        size: how many frames to keep.
        kept: what was kept so far: tensors by name, batch by batch.
        count: how many frames that are.
    """

    size: int = 4
    kept: dict[str, list[Tensor]] = field(default_factory=dict)
    count: int = 0

    def observe(self, attacked: Attacked) -> None:
        """Keep what there is still room for; of a segmentation the class of every pixel."""
        room = self.size - self.count
        if room <= 0:
            return
        tensors = {"index": attacked.index, "clean": attacked.clean, "attacked": attacked.image}
        for task, truth in attacked.truth.items():
            tensors[f"truth.{task}"] = truth
            for when, outputs in (("clean", attacked.before), ("attacked", attacked.after)):
                output = outputs[task][:room]
                tensors[f"{when}.{task}"] = output if truth.is_floating_point() else output.argmax(1)
        for name, tensor in tensors.items():
            self.kept.setdefault(name, []).append(tensor[:room].detach().cpu())
        self.count += min(room, len(attacked.index))

    def save(self, path: Path) -> None:
        """Write the kept frames as safetensors."""
        keep(path, save({name: torch.cat(parts).contiguous() for name, parts in self.kept.items()}))
