"""Dense materials: the tasks and the model that a dense experiment describes, made ready."""

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from manyheads.experiments.dense_experiment import DenseArchitecture, DenseEncoder, DenseExperiment
from manyheads.models import (
    SEGNET_FILTERS,
    SMALL_SEGNET_FILTERS,
    AttendedSegNet,
    DenseResNet18,
    DilatedResNet,
    DilatedTail,
    MultiTaskModel,
    SegNetDecoder,
    SegNetEncoder,
    SmallDecoder,
    SmallDenseNet,
    Tailed,
    UpsamplingDecoder,
    dense_heads,
    drn_heads,
    mtan_heads,
    seeded,
    segnet_answers,
    segnet_heads,
    shared_tail_heads,
)
from manyheads.tasks import PAPER_LETTERS, Task, paper_task

_MULTIPLES: Mapping[DenseEncoder, int] = {
    "small_dense_net": 8,
    "dense_resnet18": 32,
    "drn_d_22": 8,
    "drn_d_105": 8,
    "small_segnet": 1,
    "segnet": 1,
    "small_mtan": 1,
    "mtan": 1,
}


def make_dense_tasks(experiment: DenseExperiment, *, class_names: tuple[str, ...]) -> tuple[Task, ...]:
    """Make the tasks, main task first.

    Args:
        experiment: names them.
        class_names: the classes of the segmentation.
    """
    return tuple(paper_task(name, classes=class_names) for name in experiment.tasks)


def make_dense_model(
    experiment: DenseExperiment, *, tasks: Sequence[Task], image_shape: tuple[int, int, int]
) -> MultiTaskModel:
    """Make the model with its initial weights, which depend on the seed alone.

    Raises:
        ValueError: if frames of this shape, or the parts that are cut out of them, do not suit the encoder.
    """
    wanted = experiment.architecture
    for size in (image_shape[1:], experiment.scenes.crop or image_shape[1:]):
        multiple = _MULTIPLES[wanted.encoder]
        if any(side % multiple for side in size):
            raise ValueError(
                f"{wanted.encoder} needs sides that are multiples of {multiple}, got frames of {size[0]}×{size[1]}; "
                "choose another --scenes.size or --scenes.crop"
            )

    def build() -> MultiTaskModel:
        encoder, heads = _BUILDERS[wanted.encoder](wanted, tasks, image_shape[0])
        return MultiTaskModel(encoder, heads, mean=wanted.mean or None, std=wanted.std or None)

    return seeded(build, seed=experiment.seed)


def loss_weights(experiment: DenseExperiment) -> dict[str, float]:
    """Weights of the tasks' losses in training: those given, or equal ones that make the mean."""
    return dict(experiment.weights) or dict.fromkeys(experiment.tasks, 1 / len(experiment.tasks))


def with_auxiliaries(tasks: Sequence[str], *, share: float) -> dict[str, float]:
    """Weights of a main task's loss and of auxiliaries that share one weight: `main + share * mean(auxiliaries)`.

    Args:
        tasks: names of the tasks, main task first.
        share: the weight that the auxiliaries share, λ_a of the paper.

    Reference: Mao et al., ECCV 2020, the released code, which divides by the number of auxiliaries.

    >>> with_auxiliaries(["segmentation", "depth", "autoencoding"], share=0.1)
    {'segmentation': 1.0, 'depth': 0.05, 'autoencoding': 0.05}
    """
    main, *auxiliaries = tasks
    return {main: 1.0, **{name: share / len(auxiliaries) for name in auxiliaries}}


def in_letters(experiment: DenseExperiment) -> str:
    """Name of the combination of tasks, by the letters that Mao et al. give them, main task first."""
    letters = {task: letter for letter, task in PAPER_LETTERS.items()}
    return " ".join(letters[task] for task in experiment.tasks)


_Parts = tuple[nn.Module, dict[str, nn.Module]]


def _small(wanted: DenseArchitecture, tasks: Sequence[Task], channels: int) -> _Parts:  # noqa: ARG001 (all look alike)
    encoder = SmallDenseNet(channels)
    return encoder, dense_heads(tasks, features=encoder.features, decoder=SmallDecoder)


def _resnet(wanted: DenseArchitecture, tasks: Sequence[Task], channels: int) -> _Parts:  # noqa: ARG001
    encoder = DenseResNet18(channels)
    return encoder, dense_heads(tasks, features=encoder.features, decoder=UpsamplingDecoder)


def _dilated(wanted: DenseArchitecture, tasks: Sequence[Task], channels: int) -> _Parts:
    depth = {"drn_d_22": 22, "drn_d_105": 105}[wanted.encoder]
    encoder = DilatedResNet(channels, depth=depth)
    if not wanted.shared_tail:
        return encoder, drn_heads(tasks, depth=depth)
    tailed = Tailed(encoder, tail=DilatedTail(depth=depth))
    return tailed, shared_tail_heads(tasks, features=tailed.features)


def _segnet(wanted: DenseArchitecture, tasks: Sequence[Task], channels: int) -> _Parts:
    filters = {"small_segnet": SMALL_SEGNET_FILTERS, "segnet": SEGNET_FILTERS}[wanted.encoder]
    encoder = SegNetEncoder(channels, filters=filters)
    if not wanted.shared_tail:
        return encoder, segnet_heads(tasks, filters=filters)
    tailed = Tailed(encoder, tail=SegNetDecoder(filters=filters))
    return tailed, segnet_answers(tasks, features=tailed.features)


def _mtan(wanted: DenseArchitecture, tasks: Sequence[Task], channels: int) -> _Parts:
    filters = {"small_mtan": SMALL_SEGNET_FILTERS, "mtan": SEGNET_FILTERS}[wanted.encoder]
    return AttendedSegNet(channels, filters=filters), mtan_heads(tasks, filters=filters)


_BUILDERS: Mapping[DenseEncoder, Callable[[DenseArchitecture, Sequence[Task], int], _Parts]] = {
    "small_dense_net": _small,
    "dense_resnet18": _resnet,
    "drn_d_22": _dilated,
    "drn_d_105": _dilated,
    "small_segnet": _segnet,
    "segnet": _segnet,
    "small_mtan": _mtan,
    "mtan": _mtan,
}
