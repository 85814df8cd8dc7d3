"""Predictions of a finished run: load its guard and ask it about images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from manyheads.defences import Decision, Guard
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.materials import make_model, make_rejector
from manyheads.training import Checkpoints


@dataclass(frozen=True)
class Prediction:
    """What a guard says of one image file.

    Args:
        path: the file.
        label: the main task's class, or None where the guard rejects the image.
        heads: what every head says, main task first.
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
    experiment, record = files.read_experiment(), files.read_guard()
    tasks = record.tasks()
    model = make_model(experiment, tasks=tasks, image_shape=record.image_shape)
    Checkpoints(files.weights).load_best(model)
    return Guard(model.eval(), make_rejector(experiment, tasks=tasks), record.threshold), experiment


def predict(run: Path, images: Sequence[Path]) -> tuple[Prediction, ...]:
    """Ask a run's guard about image files; they are converted and resized to what its model was trained on.

    Raises:
        FileNotFoundError: if the run or an image is not there.
        ValueError: if a file is no image.
    """
    guard, _ = load_guard(run)
    record = RunFiles(run).read_guard()
    pixels = torch.stack([_read(path, shape=record.image_shape) for path in images])
    with torch.no_grad():
        outputs = guard(pixels)
    decision = guard.decide(outputs)
    answers = {task: outputs[task].argmax(1).tolist() for task in record.class_names}
    return tuple(
        _prediction(path, place, decision, {task: record.class_names[task][answers[task][place]] for task in answers})
        for place, path in enumerate(images)
    )


def _prediction(path: Path, place: int, decision: Decision, heads: dict[str, str]) -> Prediction:
    label = None if bool(decision.rejected[place]) else next(iter(heads.values()))
    return Prediction(path, label, heads, float(decision.score[place]))


def _read(path: Path, *, shape: tuple[int, int, int]) -> Tensor:
    """Read an image file as floats in [0, 1]."""
    channels, height, width = shape
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such image file")
    try:
        with Image.open(path) as file:
            image = file.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path} is not an image that can be read: {error}") from error
    return torch.from_numpy(np.array(image, dtype=np.float32) / 255).reshape(height, width, channels).permute(2, 0, 1)
