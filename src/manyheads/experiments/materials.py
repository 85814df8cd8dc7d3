"""Materials: the data, tasks, model and guard that an experiment describes, made ready."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from manyheads import data, models
from manyheads.data import Source, split, take
from manyheads.defences import Disagreement, Rejector, SoftDisagreement
from manyheads.experiments.experiment import Encoder, Experiment
from manyheads.models import MultiTaskModel, linear_heads, seeded
from manyheads.tasks import LabelMap, Relation, Task, classify, maps, regroup

AnyEncoder = (
    models.AlexNet | models.LeNet | models.ResNet18 | models.SmallConvNet | models.SmallResNet | models.WideResNet
)
"""The encoders: modules that return `features` numbers per image."""

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

RESIZED = frozenset({"gtsrb", "tiny_imagenet", "office31", "image_folder"})
"""Data sets whose images are resized when they are read; those of the others have one size."""

_LANDMARKS: Mapping[str, tuple[str, ...]] = {
    "mnist": tuple(f"{folder}*-ubyte*" for folder in ("MNIST/raw/", "MNIST/", "raw/", "")),
    "fashion_mnist": tuple(f"{folder}*-ubyte*" for folder in ("FashionMNIST/raw/", "FashionMNIST/", "raw/", "")),
    "svhn": ("SVHN/*_32x32.mat", "svhn/*_32x32.mat", "*_32x32.mat"),
    "gtsrb": ("gtsrb/GTSRB", "GTSRB"),
    "cifar10": ("cifar-10-batches-bin", "cifar-10-batches-py", "*_batch*"),
    "tiny_imagenet": ("tiny-imagenet-200", "wnids.txt"),
    "office31": ("office31", "amazon/images"),
}
"""What is seen of each data set in its folder, whole or not."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The three disjoint parts of an experiment's data."""

    train: Source
    validation: Source
    test: Source


def lies_in(root: Path, *, data: str) -> bool:
    """Tell whether a folder holds a data set, or a part of it; nothing is read.

    Args:
        root: the folder.
        data: name of the data set.

    Raises:
        ValueError: if such a data set is not known by its files.
    """
    if data not in _LANDMARKS:
        raise ValueError(f"no data set {data!r} is known by its files; known: {', '.join(_LANDMARKS)}")
    return any(any(root.glob(landmark)) for landmark in _LANDMARKS[data])


def open_data(experiment: Experiment) -> Splits:
    """Read the data that an experiment describes.

    The validation split is drawn from the training examples; the test split decides nothing.

    Raises:
        ValueError: if a folder is needed and none is given, one is given and none is needed, images of one size shall
            be resized, or the data is not as it should be.
    """
    wanted = experiment.data
    train, test = read_split(experiment, split="train"), read_split(experiment, split="test")
    train, validation = split(train, share=wanted.validation_share, seed=experiment.seed)
    if wanted.train_examples is not None:
        train = take(train, count=wanted.train_examples, seed=experiment.seed)
    return Splits(train, validation, test)


def read_split(experiment: Experiment, *, split: Literal["train", "test"]) -> Source:
    """Read one of the data set's own splits, whole.

    Raises:
        ValueError: if a folder is needed and none is given, one is given and none is needed, images of one size shall
            be resized, or the data is not as it should be.
    """
    wanted = experiment.data
    root = experiment.data_root or wanted.root
    if wanted.size is not None and wanted.name not in RESIZED:
        raise ValueError(f"the images of {wanted.name} have a size of their own; leave --data.size out")
    if wanted.domain is not None and wanted.name != "office31":
        raise ValueError(f"{wanted.name} has no domains; leave --data.domain out")
    if wanted.name == "digits":
        if root is not None:
            raise ValueError(f"the digits come with scikit-learn, nothing is read from {root}; leave --data-root out")
        return data.sklearn_digits(split)
    if root is None:
        raise ValueError(f"{wanted.name} is read from a folder; say which with --data-root DIR")
    sized = {} if wanted.size is None else {"size": wanted.size}
    parted = {} if wanted.domain is None else {"domain": wanted.domain}
    return READERS[wanted.name](root, split=split, **sized, **parted)


def make_tasks(experiment: Experiment, *, class_names: tuple[str, ...]) -> tuple[Task, ...]:
    """Make the main task and the hidden ones, main task first.

    Raises:
        FileNotFoundError: if a label map's file is not there.
        ValueError: if a label map is unknown or does not fit the classes.
    """
    tasks = [classify(experiment.main, classes=class_names)]
    for name, given in experiment.hidden.items():
        try:
            tasks.append(regroup(name, _label_map(given, class_names=class_names)))
        except ValueError as error:
            raise ValueError(
                f"the hidden task {name!r} cannot be made for the {len(class_names)} classes of "
                f"{experiment.data.name}: {error}"
            ) from error
    return tuple(tasks)


def _label_map(given: str, *, class_names: tuple[str, ...]) -> LabelMap:
    if given.endswith(".toml"):
        return maps.read(Path(given), class_names=class_names)
    if given not in maps.available() and "/" not in given:
        raise ValueError(f"{given!r} is neither a file that ends in .toml nor one of {', '.join(maps.available())}")
    return maps.load(given, class_names=class_names)


def relations(tasks: Sequence[Task]) -> dict[str, Relation]:
    """Collect what ties each hidden task to the main one."""
    return {task.name: task.label_map for task in tasks if task.label_map is not None}


def make_model(experiment: Experiment, *, tasks: Sequence[Task], image_shape: tuple[int, int, int]) -> MultiTaskModel:
    """Make the model with its initial weights, which depend on the seed alone."""
    wanted = experiment.architecture

    def build() -> MultiTaskModel:
        encoder = _BUILDERS[wanted.encoder](image_shape)
        heads = linear_heads(tasks, features=encoder.features)
        return MultiTaskModel(encoder, heads, mean=wanted.mean or None, std=wanted.std or None)

    return seeded(build, seed=experiment.seed)


def make_rejector(experiment: Experiment, *, tasks: Sequence[Task]) -> Rejector:
    """Make the rule that compares the hidden heads with the main one."""
    rule = Disagreement if experiment.rejection.rule == "count" else SoftDisagreement
    return rule(tasks[0].name, relations(tasks))


_BUILDERS: Mapping[Encoder, Callable[[tuple[int, int, int]], AnyEncoder]] = {
    "small_conv_net": lambda shape: models.SmallConvNet(shape[0], size=shape[1]),
    "small_resnet": lambda shape: models.SmallResNet(shape[0]),
    "lenet": lambda shape: models.LeNet(shape[0], size=shape[1]),
    "resnet18": lambda shape: models.ResNet18(shape[0]),
    "wide_resnet": lambda shape: models.WideResNet(shape[0]),
    "alexnet": lambda shape: models.AlexNet(shape[0]),
}
"""Builds each encoder for images of a shape: channels, height, width."""
