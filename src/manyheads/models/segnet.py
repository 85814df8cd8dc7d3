"""SegNet with several answers: one encoder, and for each task a decoder that follows the encoder's pooling back."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.heads import dense_heads, one_per_task
from manyheads.models.multitask import MultiTaskModel
from manyheads.tasks import Task
from manyheads.types import Image

SEGNET_FILTERS = (64, 128, 256, 512, 512)
"""Channels of the published network's levels, finest first."""

SMALL_SEGNET_FILTERS = (8, 16, 32, 48, 48)
"""Channels of a network for a processor; this project's own."""


@dataclass(frozen=True)
class SegNetMaps:
    """What the encoder found in an image, level by level, finest first.

    Args:
        coarse: the coarsest map, pooled.
        first: what the first convolution of each level returned.
        last: what the last one returned, just before pooling.
        places: where each pooled number had stood in `last`, as torch's max-pooling tells it.
    """

    coarse: Float[Tensor, "batch features map_height map_width"]
    first: tuple[Tensor, ...]
    last: tuple[Tensor, ...]
    places: tuple[Tensor, ...]


class SegNetEncoder(nn.Module):
    """The convolutions of VGG-16 with batch-norm: levels of two (the first two) or three, each halved by max-pooling.

    The pooling remembers where each number had stood, and a level of an odd number of rows or columns keeps them all:
    images of any size will do.

    Args:
        channels: of the image.
        filters: channels of each level, finest first.

    Raises:
        ValueError: if there is no level, or one has no channel.

    Reference: Badrinarayanan, Kendall & Cipolla, TPAMI 2017. Differs from it in: weights as torch draws them, not
    those of a trained VGG-16.
    """

    features: int
    filters: tuple[int, ...]

    def __init__(self, channels: int = 3, *, filters: Sequence[int] = SEGNET_FILTERS) -> None:
        super().__init__()
        check_filters(filters)
        self.filters = tuple(filters)
        self.features = self.filters[-1]
        self.levels = nn.ModuleList(
            SegNetLevel(before=before, after=after, convolutions=_convolutions(level))
            for level, (before, after) in enumerate(zip((channels, *filters), filters, strict=False))
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True)

    def forward(self, image: Image) -> SegNetMaps:
        """Return the maps of all levels."""
        coarse, found = image, []
        for level in self.levels:
            first, last = level(coarse)
            coarse, places = self.pool(last)
            found.append((first, last, places))
        return SegNetMaps(coarse, *zip(*found, strict=True))


class SegNetDecoder(nn.Module):
    """The encoder's mirror: each level puts the numbers back where they had stood and convolves the gaps full.

    Args:
        filters: those of the encoder.

    Raises:
        ValueError: if there is no level, or one has no channel.

    Reference: Badrinarayanan, Kendall & Cipolla, TPAMI 2017. Differs from it in: the first convolution of a level
    narrows the map, not the last, as Liu, Johns & Davison, CVPR 2019, have it.
    """

    features: int

    def __init__(self, *, filters: Sequence[int] = SEGNET_FILTERS) -> None:
        super().__init__()
        check_filters(filters)
        self.features = filters[0]
        self.levels = nn.ModuleList(
            SegNetLevel(before=before, after=after, convolutions=_convolutions(level))
            for level, (before, after) in enumerate(zip(filters, narrowed(filters), strict=True))
        )
        self.unpool = nn.MaxUnpool2d(2)

    def forward(self, maps: SegNetMaps) -> Float[Tensor, "batch features height width"]:
        """Return a map of the image's size."""
        return self.steps(maps)[-1][1]

    def steps(self, maps: SegNetMaps) -> list[tuple[Tensor, Tensor]]:
        """Return for each level, coarsest first, the map with the numbers put back, and what the level makes of it."""
        found, coarse = [], maps.coarse
        for level, place, last in zip(self.levels[::-1], maps.places[::-1], maps.last[::-1], strict=True):
            height, width = last.shape[2:]
            refilled = self.unpool(coarse, place, output_size=[height, width])
            _, coarse = level(refilled)
            found.append((refilled, coarse))
        return found


class SegNetLevel(nn.Module):
    """Convolutions 3×3, each with batch-norm and ReLU; the first one apart from the rest.

    Args:
        before: channels of the input.
        after: channels of every convolution's output.
        convolutions: how many there are, the first one included.
    """

    def __init__(self, *, before: int, after: int, convolutions: int) -> None:
        super().__init__()
        self.first = convolution(before=before, after=after)
        self.rest = nn.Sequential(*(convolution(before=after, after=after) for _ in range(convolutions - 1)))

    def forward(
        self, features: Float[Tensor, "batch before height width"]
    ) -> tuple[Float[Tensor, "batch after height width"], Float[Tensor, "batch after height width"]]:
        """Return what the first convolution makes of the map, and what the last one does."""
        first = self.first(features)
        return first, self.rest(first)


class SegNetAnswer(nn.Module):
    """A 3×3 and a 1×1 convolution with nothing in between: from a map of the image's size to a task's answer.

    Args:
        features: channels of the map that it reads.
        channels: of the answer.

    Reference: Liu, Johns & Davison, CVPR 2019, the released code. Differs from it in: directions of surfaces are not
    brought to length one here; losses and metrics of this project take any length.
    """

    def __init__(self, features: int, *, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(features, features, 3, padding=1), nn.Conv2d(features, channels, 1))

    def forward(
        self, features: Float[Tensor, "batch features height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the answer at the image's size."""
        return self.layers(features)


def segnet_heads(tasks: Sequence[Task], *, filters: Sequence[int] = SEGNET_FILTERS) -> dict[str, nn.Module]:
    """Make a decoder of its own for each task, to go behind a `SegNetEncoder`.

    For a decoder that all tasks share, put it behind the encoder, `Tailed(SegNetEncoder(), tail=SegNetDecoder())`, and
    take `segnet_answers`.

    Args:
        tasks: what the heads shall answer, pixel by pixel.
        filters: those of the encoder.

    Raises:
        ValueError: if two tasks have one name, there is no level, or one has no channel.
    """
    check_filters(filters)
    return one_per_task(
        tasks,
        lambda task: nn.Sequential(SegNetDecoder(filters=filters), SegNetAnswer(filters[0], channels=task.channels)),
    )


def segnet_answers(tasks: Sequence[Task], *, features: int = SEGNET_FILTERS[0]) -> dict[str, nn.Module]:
    """Make the light heads that go behind a `SegNetDecoder` which all tasks share.

    Args:
        tasks: what the heads shall answer, pixel by pixel.
        features: how many channels that decoder returns (`decoder.features`).

    Raises:
        ValueError: if two tasks have one name.

    Reference: the split network of Liu, Johns & Davison, CVPR 2019, which divides at its last layers.
    """
    return dense_heads(tasks, features=features, decoder=SegNetAnswer)


def segnet(tasks: Sequence[Task], *, channels: int = 3, filters: Sequence[int] = SEGNET_FILTERS) -> MultiTaskModel:
    """Make the multi-task network that MTA attacks: a shared encoder, and a whole decoder for each task.

    Args:
        tasks: what it shall answer, pixel by pixel.
        channels: of the image.
        filters: channels of each level, finest first; `SMALL_SEGNET_FILTERS` for a processor.

    Raises:
        ValueError: if there is no task, two tasks have one name, there is no level, or one has no channel.

    Reference: Guo et al. 2020 (MTA), section 4.2, DMTL. The paper does not say where the network divides.

    >>> import torch
    >>> from manyheads.tasks import depth, segment
    >>> model = segnet([segment(), depth()], filters=(4, 4))
    >>> {name: tuple(answer.shape) for name, answer in model(torch.rand(2, 3, 9, 14)).items()}
    {'segmentation': (2, 13, 9, 14), 'depth': (2, 1, 9, 14)}
    """
    return MultiTaskModel(SegNetEncoder(channels, filters=filters), segnet_heads(tasks, filters=filters))


def convolution(*, before: int, after: int) -> nn.Sequential:
    """Make a 3×3 convolution with batch-norm and ReLU.

    Args:
        before: channels of the input.
        after: channels of the output.
    """
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


def narrowed(filters: Sequence[int]) -> tuple[int, ...]:
    """Channels that each level of a decoder returns, finest first: those of the next finer level of the encoder."""
    return (filters[0], *filters[:-1])


def check_filters(filters: Sequence[int]) -> None:
    """Refuse filters of which no network can be made.

    Raises:
        ValueError: if there is none, or one is below 1.
    """
    if not filters or min(filters) < 1:
        raise ValueError(f"filters are the channels of each level, one level or more, got {tuple(filters)}")


def _convolutions(level: int) -> int:
    """How many convolutions a level has, in the encoder as in the decoder."""
    return 2 if level < 2 else 3
