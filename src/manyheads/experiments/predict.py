"""Predictions of a finished run: load its guard and ask it about images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from manyheads.data.files import decode
from manyheads.defences import Guard
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.guard_record import GuardRecord
from manyheads.experiments.materials import make_model, make_rejector
from manyheads.training import Checkpoints

_LUMA = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
"""Shares of red, green and blue in brightness (ITU-R BT.601, as in Pillow)."""


@dataclass(frozen=True)
class Prediction:
    """What a guard says of one image file.

    Args:
        path: the file.
        label: the main task's class, or None where the guard rejects the image.
        heads: what every head says, by task name, main task first.
        score: how much the heads contradict each other.
    """

    path: Path
    label: str | None
    heads: dict[str, str]
    score: float


def load_guard(run: Path) -> tuple[Guard, Experiment]:
    """Load the guard of a finished run, in eval mode; the data it was trained on is not needed.

    Raises:
        FileNotFoundError: if the folder is no run, or was not trained yet.
        ValueError: if its files are damaged.
    """
    files = RunFiles(run)
    experiment, record = files.read_as(Experiment), files.read_guard()
    tasks = record.tasks()
    model = make_model(experiment, tasks=tasks, image_shape=record.image_shape)
    Checkpoints(files.weights).load_best(model)
    return Guard(model, make_rejector(experiment, tasks=tasks), record.threshold).eval(), experiment


def predict(run: Path, images: Sequence[Path]) -> tuple[Prediction, ...]:
    """Ask a run's guard about image files, which are decoded and resized like those that its model was trained on.

    Raises:
        FileNotFoundError: if the folder is no run, or was not trained yet.
        ValueError: if a file is missing or no image, or the run's files are damaged.
    """
    guard, experiment = load_guard(run)
    record = RunFiles(run).read_guard()
    starts = range(0, len(images), experiment.batch_size)
    parts = [images[start : start + experiment.batch_size] for start in starts]
    return tuple(said for part in parts for said in _ask(guard, record, part))


def _ask(guard: Guard, record: GuardRecord, paths: Sequence[Path]) -> list[Prediction]:
    pixels = torch.stack([_read(path, shape=record.image_shape) for path in paths])
    with torch.no_grad():
        outputs = guard(pixels)
    decision = guard.decide(outputs)
    predictions = []
    for place, path in enumerate(paths):
        heads = {task: names[int(outputs[task][place].argmax())] for task, names in record.class_names.items()}
        label = None if bool(decision.rejected[place]) else heads[guard.rejector.main]
        predictions.append(Prediction(path, label, heads, float(decision.score[place])))
    return predictions


def _read(path: Path, *, shape: tuple[int, int, int]) -> Float[Tensor, "channel height width"]:
    """Decode an image file as floats in [0, 1], in colour or grey as the model wants it."""
    channels, size, _ = shape
    pixels = decode(path, size=size)
    if channels == 1:
        pixels = (pixels * _LUMA).sum(0, keepdim=True).round()
    return pixels.float() / 255
