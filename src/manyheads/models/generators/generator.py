"""One decoder per task behind a shared encoder (MTA), or behind an encoder of the task's own (GAP)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.generators.residual import GeneratorDecoder, GeneratorEncoder, NormMaker, instance_norm
from manyheads.models.head_names import check_head_name
from manyheads.models.multitask import ParameterCounts
from manyheads.types import Image


class PerturbationGenerator(nn.Module):
    """A network that answers an image, or a pattern, with one perturbation per task.

    Perturbations are as the decoders give them, in [-1, 1]: no budget has been applied yet.

    Args:
        encoders: a single one, by any name, for all tasks; or one per task, by the task's name.
        decoders: one per task, by the task's name.

    Raises:
        ValueError: if there is no task, a name cannot be one, or the encoders are neither one nor the tasks' own.

    >>> import torch
    >>> generator = mta_generator(["segmentation", "depth"], width=4, blocks=1)
    >>> image = torch.rand(2, 3, 18, 25)
    >>> {task: tuple(raw.shape) for task, raw in generator({"segmentation": image, "depth": image}).items()}
    {'segmentation': (2, 3, 18, 25), 'depth': (2, 3, 18, 25)}
    """

    def __init__(self, encoders: Mapping[str, GeneratorEncoder], *, decoders: Mapping[str, GeneratorDecoder]) -> None:
        super().__init__()
        if not decoders:
            raise ValueError("a generator needs at least one task, got none")
        for name in (*decoders, *encoders):
            check_head_name(name)
        if len(encoders) != 1 and set(encoders) != set(decoders):
            raise ValueError(
                f"give one encoder for all tasks, or one for each of {', '.join(decoders)}; "
                f"got {', '.join(encoders) or 'none'}"
            )
        self.encoders = nn.ModuleDict(encoders)
        self.decoders = nn.ModuleDict(decoders)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(self.decoders)

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return cast("int", next(iter(self.encoders.values())).channels)

    def forward(self, inputs: Mapping[str, Image]) -> dict[str, Tensor]:
        """Return the perturbation of each input, by the task that it is for.

        A tensor that several tasks are given (the very same object) is encoded once by an encoder that they share.

        Args:
            inputs: the images, or patterns, by task; some of the tasks will do.

        Raises:
            ValueError: if there is no decoder for one of them.
        """
        self.check_tasks(inputs)
        features: dict[tuple[str, int], Tensor] = {}
        perturbations = {}
        for task, image in inputs.items():
            encoder = self.encoder_name(task)
            place = encoder, id(image)  # the mapping keeps the tensors alive, so that no id is given twice
            if place not in features:
                features[place] = self.encoders[encoder](image)
            height, width = image.shape[2:]
            perturbations[task] = self.decoders[task](features[place], size=(height, width))
        return perturbations

    def perturb(self, image: Image, task: str) -> Float[Tensor, "batch channel height width"]:
        """Return the perturbation of each image for one task alone.

        Raises:
            ValueError: if there is no decoder for the task.
        """
        return self({task: image})[task]

    def encoder_name(self, task: str) -> str:
        """Name of the encoder that a task's decoder reads."""
        return task if len(self.encoders) > 1 else next(iter(self.encoders))

    def parameter_counts(self) -> ParameterCounts:
        """Count what several tasks share, and what only one of them has: its decoder, for GAP its encoder too."""
        parts = {
            task: nn.ModuleList([self.encoders[self.encoder_name(task)], decoder])
            for task, decoder in self.decoders.items()
        }
        owners = Counter(parameter for part in parts.values() for parameter in part.parameters())
        private = {
            task: sum(parameter.numel() for parameter in part.parameters() if owners[parameter] == 1)
            for task, part in parts.items()
        }
        return ParameterCounts(sum(parameter.numel() for parameter in owners) - sum(private.values()), private)

    def check_tasks(self, tasks: Iterable[str]) -> None:
        """Refuse tasks that there is no decoder for.

        Raises:
            ValueError: naming the first of them.
        """
        unknown = [task for task in tasks if task not in self.decoders]
        if unknown:
            raise ValueError(f"this generator has no decoder for {unknown[0]!r}; its tasks: {', '.join(self.tasks)}")


def mta_generator(
    tasks: Sequence[str], *, channels: int = 3, width: int = 20, blocks: int = 6, norm: NormMaker = instance_norm
) -> PerturbationGenerator:
    """Make the generator of MTA: one encoder for all tasks, and a decoder for each.

    Args:
        tasks: their names.
        channels: of the images.
        width: channels of the first convolution.
        blocks: how many residual blocks the encoder has.
        norm: makes the normalisation layers.

    Raises:
        ValueError: if there is no task, one stands twice, or a name cannot be one.

    Reference: Guo et al. 2020 (MTA), section 3.1.

    >>> print(mta_generator(["segmentation", "depth", "normals"], blocks=4).parameter_counts())
    618,489 parameters: shared 501,300; private: segmentation 39,063, depth 39,063, normals 39,063
    """
    encoder = GeneratorEncoder(channels, width=width, blocks=blocks, norm=norm)
    return PerturbationGenerator({"shared": encoder}, decoders=_decoders(tasks, channels, width=width, norm=norm))


def gap_generator(
    tasks: Sequence[str], *, channels: int = 3, width: int = 20, blocks: int = 6, norm: NormMaker = instance_norm
) -> PerturbationGenerator:
    """Make the generators of GAP: for each task a whole one, encoder and decoder.

    Args:
        tasks: their names.
        channels: of the images.
        width: channels of the first convolution.
        blocks: how many residual blocks each encoder has.
        norm: makes the normalisation layers.

    Raises:
        ValueError: if there is no task, one stands twice, or a name cannot be one.

    Reference: Poursaeed et al., CVPR 2018, as Guo et al. 2020 compare with it.

    >>> gap_generator(["segmentation", "depth", "normals"], blocks=4).parameter_counts().total
    1621089
    """
    decoders = _decoders(tasks, channels, width=width, norm=norm)
    encoders = {task: GeneratorEncoder(channels, width=width, blocks=blocks, norm=norm) for task in decoders}
    return PerturbationGenerator(encoders, decoders=decoders)


def _decoders(tasks: Sequence[str], channels: int, *, width: int, norm: NormMaker) -> dict[str, GeneratorDecoder]:
    twice = sorted({task for task in tasks if tasks.count(task) > 1})
    if twice:
        raise ValueError(f"each task has one decoder, but several are called: {', '.join(twice)}")
    return {task: GeneratorDecoder(channels, width=width, norm=norm) for task in tasks}
