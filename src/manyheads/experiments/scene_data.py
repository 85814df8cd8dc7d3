"""Scene data: the frames of a dense experiment, with every annotation that its tasks need."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor

from manyheads.data import (
    Annotated,
    DataError,
    Frames,
    Source,
    cityscapes,
    drawn_scenes,
    hold,
    nyuv2,
    split,
    split_buildings,
    take,
    taskonomy,
)
from manyheads.data.taskonomy import IndoorAnnotation
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.materials import Splits
from manyheads.tasks import makers, paper_task
from manyheads.types import Batch

DRAWN_TRAIN, DRAWN_TEST = 512, 128
"""How many scenes are drawn where nobody says how many."""

_SEEDS = {"train": 0, "validation": 1, "test": 2}  # whatever the experiment's seed: its models share their frames
_OTHER_NAMES = {"normals": "normal"}
_Makers = Mapping[str, Callable[[Batch], Tensor]]


def open_scenes(experiment: DenseExperiment) -> Splits:
    """Read or draw the frames that a dense experiment describes, and compute what its tasks need beyond their files.

    What an RGB-D frame of NYUv2 determines is computed once and kept in memory. Of Cityscapes `depth` is the disparity,
    in pixels of the full-sized frame and unknown where it is zero, as in Mao et al.; of its other annotations only
    those of the image can be computed.

    Raises:
        ValueError: if a folder is needed and none is given, one is given and none is needed, the set has not what a
            task needs, or the data is not as it should be.
    """
    wanted = experiment.scenes
    root = experiment.data_root or wanted.root
    if wanted.classes is not None and wanted.name != "nyuv2":
        raise ValueError(f"the classes of {wanted.name} are its own; leave --scenes.classes out")
    if wanted.name == "drawn":
        if root is not None:
            raise ValueError(f"scenes are drawn, nothing is read from {root}; leave --data-root out")
        return _drawn(experiment)
    if root is None:
        raise ValueError(f"{wanted.name} is read from a folder; say which with --data-root DIR")
    return _READERS[wanted.name](experiment, root)


def _drawn(experiment: DenseExperiment) -> Splits:
    """Draw as many scenes as are asked for; a validation split is drawn beside them."""
    wanted = experiment.scenes
    train = wanted.train_examples or DRAWN_TRAIN
    counts = {
        "train": train,
        "validation": max(1, round(train * wanted.validation_share)),
        "test": wanted.test_examples or DRAWN_TEST,
    }
    sized = {} if wanted.size is None else {"size": wanted.size}
    parts = {}
    for name, count in counts.items():
        frames = drawn_scenes(examples=count, seed=_SEEDS[name], **sized)
        kept = {entry: frames.annotations[entry] for entry in _annotations(experiment)}
        parts[name] = Frames(frames.images, kept, frames.class_names)
    return Splits(**parts)


def _nyuv2(experiment: DenseExperiment, root: Path) -> Splits:
    wanted = experiment.scenes
    classes = 13 if wanted.classes is None else wanted.classes
    train, test = (
        nyuv2(root, split=part, classes=cast("Literal[13, 40]", classes), size=wanted.size)
        for part in ("train", "test")
    )
    made = _made(experiment, present={"depth", "intrinsics"})
    train, validation = split(train, share=wanted.validation_share, seed=experiment.seed)
    return _annotated(_fewer(experiment, train=train, validation=validation, test=test), made, held=True)


def _cityscapes(experiment: DenseExperiment, root: Path) -> Splits:
    wanted = experiment.scenes
    possible = {"segmentation", "depth", "texture_edges", "keypoints2d"}
    impossible = sorted(set(_annotations(experiment)) - possible)
    if impossible:
        raise ValueError(
            f"Cityscapes has no {', '.join(impossible)}; choose tasks among segmentation, depth, autoencoding, "
            "texture_edges and keypoints2d"
        )
    sized = {} if wanted.size is None else {"size": wanted.size}
    asked = ("segmentation", "disparity")
    train, test = (cityscapes(root, split=part, annotations=asked, **sized) for part in ("train", "val"))
    made = {"depth": _known_disparity, **_made(experiment, present={"depth"})}
    train, validation = split(train, share=wanted.validation_share, seed=experiment.seed)
    return _annotated(_fewer(experiment, train=train, validation=validation, test=test), made, held=False)


def _taskonomy(experiment: DenseExperiment, root: Path) -> Splits:
    """Read Taskonomy, whose buildings the official table in the folder splits."""
    base = root / "taskonomy" if (root / "taskonomy").is_dir() else root
    tables = sorted(base.glob("train_val_test_*.csv"))
    if len(tables) != 1:
        raise DataError(
            f"{base} needs one of Taskonomy's official tables of buildings, train_val_test_*.csv, and has "
            f"{len(tables)}; put that of your subset there (tiny, medium, full or fullplus)"
        )
    asked = cast("Sequence[IndoorAnnotation]", _annotations(experiment))
    sized = {} if experiment.scenes.size is None else {"size": experiment.scenes.size}
    train, validation, test = (
        taskonomy(base, buildings=split_buildings(tables[0], split=part), annotations=asked, **sized)
        for part in ("train", "val", "test")
    )
    return _fewer(experiment, train=train, validation=validation, test=test)


_READERS: Mapping[str, Callable[[DenseExperiment, Path], Splits]] = {
    "nyuv2": _nyuv2,
    "cityscapes": _cityscapes,
    "taskonomy": _taskonomy,
}


def _fewer(experiment: DenseExperiment, *, train: Source, validation: Source, test: Source) -> Splits:
    """Draw the subsets that are asked for."""
    wanted = experiment.scenes
    if wanted.train_examples is not None:
        train = take(train, count=wanted.train_examples, seed=experiment.seed)
    if wanted.test_examples is not None:
        test = take(test, count=wanted.test_examples, seed=0)
    return Splits(train, validation, test)


def _annotations(experiment: DenseExperiment) -> tuple[str, ...]:
    """Names of the annotations that the tasks' truth is; the image itself is none."""
    return tuple(_OTHER_NAMES.get(task, task) for task in experiment.tasks if task != "autoencoding")


def _made(experiment: DenseExperiment, *, present: set[str]) -> _Makers:
    """Choose what has to be computed."""
    return makers([paper_task(name) for name in experiment.tasks], present=present)


def _annotated(splits: Splits, made: _Makers, *, held: bool) -> Splits:
    if not made:
        return splits
    parts = [Annotated(part, made) for part in (splits.train, splits.validation, splits.test)]
    return Splits(*(hold(part) for part in parts)) if held else Splits(*parts)


def _known_disparity(batch: Batch) -> Tensor:
    """Disparity as it is, unknown where it is zero: infinitely far, or not found."""
    disparity = batch["disparity"]
    return disparity.where(disparity > 0, torch.nan)
