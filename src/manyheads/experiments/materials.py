"""Materials: the data, tasks, model and guard that an experiment describes, made ready."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from manyheads import data, models
from manyheads.data import Source, split, take
from manyheads.defences import Disagreement, Rejector, SoftDisagreement
from manyheads.experiments.experiment import Encoder, Experiment
from manyheads.models import MultiTaskModel, linear_heads, seeded
from manyheads.tasks import Task, classify, maps, regroup

READERS: Mapping[str, Callable[..., Source]] = {
    "mnist": data.mnist,
    "fashion_mnist": data.fashion_mnist,
    "svhn": data.svhn,
    "gtsrb": data.gtsrb,
    "cifar10": data.cifar10,
    "tiny_imagenet": data.tiny_imagenet,
    "office31": data.office31,
    "image_folder": data.image_folder,
}
"""The reader of each data set that lies in a folder."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The three disjoint parts of an experiment's data."""

    train: Source
    validation: Source
    test: Source


def open_data(experiment: Experiment) -> Splits:
    """Read the data that an experiment describes.

    The validation split is drawn from the training examples; the test split decides nothing.

    Raises:
        ValueError: if a folder is needed and none is given, or the data in it is not as it should be.
    """
    wanted = experiment.data
    train, test = _read(experiment, split="train"), _read(experiment, split="test")
    train, validation = split(train, share=wanted.validation_share, seed=experiment.seed)
    if wanted.train_examples is not None:
        train = take(train, count=wanted.train_examples, seed=experiment.seed)
    return Splits(train, validation, test)


def _read(experiment: Experiment, *, split: Literal["train", "test"]) -> Source:
    wanted = experiment.data
    if wanted.name == "digits":
        return data.sklearn_digits(split)
    root = experiment.data_root or wanted.root
    if root is None:
        raise ValueError(f"{wanted.name} is read from a folder; say which with --data-root DIR")
    sized = {} if wanted.size is None else {"size": wanted.size}
    return READERS[wanted.name](root, split=split, **sized)


def make_tasks(experiment: Experiment, *, class_names: tuple[str, ...]) -> tuple[Task, ...]:
    """Make the main task and the hidden ones, main task first.

    Raises:
        ValueError: if a label map is unknown or does not fit the classes.
    """
    tasks = [classify(experiment.main, classes=class_names)]
    for name, given in experiment.hidden.items():
        label_map = maps.read(Path(given), class_names=class_names) if given.endswith(".toml") else maps.load(given, class_names=class_names)
        if label_map.classes != len(class_names):
            raise ValueError(
                f"the label map {given!r} regroups {label_map.classes} classes but {experiment.data.name} has "
                f"{len(class_names)}; maps: {', '.join(maps.available())}"
            )
        tasks.append(regroup(name, label_map))
    return tuple(tasks)


def make_model(experiment: Experiment, *, tasks: Sequence[Task], image_shape: tuple[int, int, int]) -> MultiTaskModel:
    """Make the model with its initial weights, which depend on the seed alone."""
    wanted = experiment.architecture

    def build() -> MultiTaskModel:
        encoder = _encoder(wanted.encoder, image_shape)
        heads = linear_heads(tasks, features=encoder.features)
        return MultiTaskModel(encoder, heads, mean=wanted.mean or None, std=wanted.std or None)

    return seeded(build, seed=experiment.seed)


def make_rejector(experiment: Experiment, *, tasks: Sequence[Task]) -> Rejector:
    """Make the rule that compares the hidden heads with the main one."""
    relations = {task.name: task.label_map for task in tasks if task.label_map is not None}
    rule = Disagreement if experiment.rejection.rule == "count" else SoftDisagreement
    return rule(tasks[0].name, relations)


def _encoder(name: Encoder, image_shape: tuple[int, int, int]) -> nn.Module:
    """Build an encoder for images of this shape."""
    channels, size, _ = image_shape
    builders: Mapping[Encoder, Callable[[], nn.Module]] = {
        "small_conv_net": lambda: models.SmallConvNet(channels, size=size),
        "small_resnet": lambda: models.SmallResNet(channels),
        "lenet": lambda: models.LeNet(channels, size=size),
        "resnet18": lambda: models.ResNet18(channels),
        "wide_resnet": lambda: models.WideResNet(channels),
        "alexnet": lambda: models.AlexNet(channels),
    }
    return builders[name]()
