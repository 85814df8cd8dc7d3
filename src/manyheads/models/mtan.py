"""The multi-task attention network: one SegNet for all, from whose every level each task picks what it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manyheads.models.heads import one_per_task
from manyheads.models.multitask import MultiTaskModel
from manyheads.models.segnet import (
    SEGNET_FILTERS,
    SegNetAnswer,
    SegNetDecoder,
    SegNetEncoder,
    check_filters,
    convolution,
    narrowed,
)
from manyheads.tasks import Task
from manyheads.types import Image


@dataclass(frozen=True, eq=False)
class AttendedMaps:
    """What the tasks' attention reads: the whole network's maps, and the layers between levels that tasks share.

    Args:
        down: of each level of the encoder, finest first: its first map and its last one.
        up: of each level of the decoder, coarsest first: the refilled map and its last one.
        coarser: a layer per level of the encoder, which takes what a task has picked there to the next level's width.
        finer: a layer per level of the decoder, which takes what a task has picked before to this level's width.
    """

    down: tuple[tuple[Tensor, Tensor], ...]
    up: tuple[tuple[Tensor, Tensor], ...]
    coarser: nn.ModuleList
    finer: nn.ModuleList


class AttendedSegNet(nn.Module):
    """The part of the attention network that all tasks share: a whole SegNet, and one 3×3 convolution per level.

    The convolutions work on what each task has picked, so that the heads run them. They are kept here because they
    belong to no head: a model counts them as shared, and writes them once.

    Args:
        channels: of the image.
        filters: channels of each level, finest first.

    Raises:
        ValueError: if there is no level, or one has no channel.

    Reference: Liu, Johns & Davison, CVPR 2019, figures 1 and 2. Differs from it in: see `SegNetEncoder`.
    """

    features: int

    def __init__(self, channels: int = 3, *, filters: Sequence[int] = SEGNET_FILTERS) -> None:
        super().__init__()
        self.encoder = SegNetEncoder(channels, filters=filters)
        self.decoder = SegNetDecoder(filters=filters)
        self.features = self.decoder.features
        widths = [*filters, filters[-1]]
        self.coarser = nn.ModuleList(convolution(before=before, after=after) for before, after in pairwise(widths))
        levels = list(zip(filters, narrowed(filters), strict=True))
        self.finer = nn.ModuleList(convolution(before=before, after=after) for before, after in levels[::-1])

    def forward(self, image: Image) -> AttendedMaps:
        """Return the maps of all levels."""
        maps = self.encoder(image)
        down = tuple(zip(maps.first, maps.last, strict=True))
        return AttendedMaps(down, tuple(self.decoder.steps(maps)), self.coarser, self.finer)


class Attention(nn.Module):
    """A mask in (0, 1) for each number of a level's last map, from two 1×1 convolutions with batch-norm.

    Args:
        before: channels of what the mask is made from.
        after: channels of the map that it is laid on.

    Reference: Liu, Johns & Davison, CVPR 2019, figure 2.
    """

    def __init__(self, *, before: int, after: int) -> None:
        super().__init__()
        self.mask = nn.Sequential(
            nn.Conv2d(before, after, 1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 1),
            nn.BatchNorm2d(after),
            nn.Sigmoid(),
        )

    def forward(
        self, seen: Float[Tensor, "batch before height width"], *, last: Float[Tensor, "batch after height width"]
    ) -> Float[Tensor, "batch after height width"]:
        """Return what remains of the map under the mask.

        Args:
            seen: what the mask is made from.
            last: the map that it is laid on.
        """
        return self.mask(seen) * last


class AttentionHead(nn.Module):
    """One task's attention to every level of the shared network, and its answer.

    On the way down a mask is made from the level's first map and from what the task picked above, on the way up from
    the refilled map and what it picked before; what a mask leaves goes through a shared convolution to the next level.

    Args:
        channels: of the answer.
        filters: those of the `AttendedSegNet`.

    Raises:
        ValueError: if there is no level, or one has no channel.

    Reference: Liu, Johns & Davison, CVPR 2019, section 3. Differs from their code in: directions of surfaces are not
    brought to length one; maps are enlarged without aligning their corners.
    """

    def __init__(self, *, channels: int, filters: Sequence[int] = SEGNET_FILTERS) -> None:
        super().__init__()
        check_filters(filters)
        self.down = nn.ModuleList(
            Attention(before=2 * width if level else width, after=width) for level, width in enumerate(filters)
        )
        levels = list(zip(filters, narrowed(filters), strict=True))
        self.up = nn.ModuleList(Attention(before=wide + width, after=width) for wide, width in levels[::-1])
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.answer = SegNetAnswer(filters[0], channels=channels)

    def forward(self, maps: AttendedMaps) -> Float[Tensor, "batch channels height width"]:
        """Return the answer at the image's size."""
        found = maps.down[0][0][:, :0]  # no channel: above the finest level nothing has been picked
        for attention, coarser, (first, last) in zip(self.down, maps.coarser, maps.down, strict=True):
            found = self.pool(coarser(attention(torch.cat((first, found), 1), last=last)))
        for attention, finer, (refilled, last) in zip(self.up, maps.finer, maps.up, strict=True):
            height, width = last.shape[2:]
            found = finer(nn.functional.interpolate(found, size=[height, width], mode="bilinear"))
            found = attention(torch.cat((refilled, found), 1), last=last)
        return self.answer(found)


def mtan_heads(tasks: Sequence[Task], *, filters: Sequence[int] = SEGNET_FILTERS) -> dict[str, nn.Module]:
    """Make an attention head for each task, to go behind an `AttendedSegNet`.

    Args:
        tasks: what the heads shall answer, pixel by pixel.
        filters: those of the `AttendedSegNet`.

    Raises:
        ValueError: if two tasks have one name, there is no level, or one has no channel.
    """
    return one_per_task(tasks, lambda task: AttentionHead(channels=task.channels, filters=filters))


def mtan(tasks: Sequence[Task], *, channels: int = 3, filters: Sequence[int] = SEGNET_FILTERS) -> MultiTaskModel:
    """Make the multi-task attention network: to what MTA's perturbations are transferred.

    Args:
        tasks: what it shall answer, pixel by pixel.
        channels: of the image.
        filters: channels of each level, finest first; `SMALL_SEGNET_FILTERS` for a processor.

    Raises:
        ValueError: if there is no task, two tasks have one name, there is no level, or one has no channel.

    Reference: Liu, Johns & Davison, CVPR 2019, on SegNet; Guo et al. 2020 (MTA), section 4.4.

    >>> from manyheads.tasks import depth, segment
    >>> model = mtan([segment(), depth()], filters=(4, 4))
    >>> {name: tuple(answer.shape) for name, answer in model(torch.rand(2, 3, 9, 14)).items()}
    {'segmentation': (2, 13, 9, 14), 'depth': (2, 1, 9, 14)}
    """
    return MultiTaskModel(AttendedSegNet(channels, filters=filters), mtan_heads(tasks, filters=filters))
