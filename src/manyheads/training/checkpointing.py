"""Checkpoints: weights that anybody may load, and the state from which a killed run goes on bit by bit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from manyheads.models import load_weights, save_weights

LAST, BEST = "last.safetensors", "best_robust.safetensors"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoint files of one training run, in one folder.

    `last.safetensors` and `best_robust.safetensors` hold weights; `resume.pt` holds all that an exact resume needs.
    Each is written whole under another name first, so that a kill leaves the old one.

    Args:
        folder: where they lie; made when the first epoch is finished.
    """

    folder: Path

    @property
    def last(self) -> Path:
        """Weights after the last finished epoch."""
        return self.folder / LAST

    @property
    def best(self) -> Path:
        """Weights of the epoch that did best on the validation split."""
        return self.folder / BEST

    @property
    def resume(self) -> Path:
        """State after the last finished epoch."""
        return self.folder / "resume.pt"

    def save(self, model: nn.Module, state: Mapping[str, Any], *, is_best: bool) -> None:
        """Write the checkpoints of a finished epoch: the resume state last, since it says that the epoch is done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        save_weights(model, self.last)
        if is_best:
            save_weights(model, self.best)
        unfinished = self.resume.with_suffix(".tmp")
        torch.save({"model": model.state_dict(), **state}, unfinished)
        unfinished.replace(self.resume)

    def load(self) -> dict[str, Any] | None:
        """Read the resume state, on the CPU; None where training has not finished an epoch yet.

        Raises:
            ValueError: if the file is damaged, or not a resume state.
        """
        if not self.resume.exists():
            return None
        try:
            state = torch.load(self.resume, map_location="cpu", weights_only=True)
        except (UnpicklingError, RuntimeError, EOFError) as error:
            raise ValueError(f"{self.resume} is damaged ({error}); delete it to train again") from error
        if not isinstance(state, dict) or "epoch" not in state:
            raise ValueError(f"{self.resume} is not a training state; delete it to train again")
        return state

    def load_best(self, model: nn.Module) -> None:
        """Put the best weights into the model, or the last ones where no validation chose any.

        Raises:
            FileNotFoundError: if training has not finished an epoch yet.
            ValueError: if the weights are not for this model.
        """
        load_weights(model, self.best if self.best.exists() else self.last)
