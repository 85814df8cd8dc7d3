"""Heads: what turns shared features into the answer of one task."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from torch import nn

from manyheads.models.decoders import DilatedDecoder, PixelDecoder
from manyheads.tasks import Task


@runtime_checkable
class DecoderMaker(Protocol):
    """What makes a decoder: a decoder class, or `functools.partial` of one."""

    def __call__(self, features: int, *, channels: int) -> nn.Module:
        """Make a decoder from a map of `features` channels to an answer of `channels` channels at the image's size."""
        ...


def linear_heads(tasks: Sequence[Task], *, features: int) -> dict[str, nn.Module]:
    """Make one linear layer per task, from the encoder's features to the task's channels.

    Args:
        tasks: what the heads shall answer.
        features: how many numbers the encoder returns per image (`encoder.features`).

    Raises:
        ValueError: if two tasks have one name.

    Reference: Hyun & Park, IEEE Access 2024, section III-B. Differs from it in: nothing.

    >>> from manyheads.tasks import classify
    >>> linear_heads([classify("digit", classes=10)], features=64)
    {'digit': Linear(in_features=64, out_features=10, bias=True)}
    """
    return one_per_task(tasks, lambda task: nn.Linear(features, task.channels))


def dense_heads(tasks: Sequence[Task], *, features: int, decoder: DecoderMaker) -> dict[str, nn.Module]:
    """Make one decoder per task, from the encoder's map to the task's channels at the image's size.

    Args:
        tasks: what the heads shall answer, pixel by pixel.
        features: how many channels the encoder's map has (`encoder.features`).
        decoder: makes each head. It must enlarge by as much as the encoder shrinks: `UpsamplingDecoder` by 32,
            `SmallDecoder` by 4, `PixelDecoder` by 8 unless told otherwise.

    Raises:
        ValueError: if two tasks have one name.

    >>> from manyheads.models import SmallDecoder
    >>> from manyheads.tasks import classify
    >>> list(dense_heads([classify("room", classes=3)], features=48, decoder=SmallDecoder))
    ['room']
    """
    return one_per_task(tasks, lambda task: decoder(features, channels=task.channels))


def drn_heads(tasks: Sequence[Task], *, depth: int = 22, width: int = 16) -> dict[str, nn.Module]:
    """Make one dilated tail with a 1×1 convolution and upsampling per task: private layers 6 to 8.

    Args:
        tasks: what the heads shall answer, pixel by pixel.
        depth: that of the `DilatedResNet`, 22 or 105.
        width: that of the `DilatedResNet`.

    Raises:
        ValueError: if two tasks have one name, or there is no network of this depth.

    Reference: Mao et al., ECCV 2020, the text. Their released code shares layers 6 to 8, see `shared_tail_heads`.
    """
    return one_per_task(tasks, lambda task: DilatedDecoder(channels=task.channels, depth=depth, width=width))


def shared_tail_heads(tasks: Sequence[Task], *, features: int = 512) -> dict[str, nn.Module]:
    """Make the light heads that go behind a tail which all tasks share: a 1×1 convolution and upsampling by 8 per task.

    The tail goes into the encoder, `Tailed(DilatedResNet(), tail=DilatedTail())`, so that it runs once for all heads.

    Args:
        tasks: what the heads shall answer, pixel by pixel.
        features: how many channels the tail returns (`tail.features`).

    Raises:
        ValueError: if two tasks have one name.

    Reference: the released code of Mao et al., ECCV 2020.
    """
    return dense_heads(tasks, features=features, decoder=PixelDecoder)


def one_per_task(tasks: Sequence[Task], build: Callable[[Task], nn.Module]) -> dict[str, nn.Module]:
    """Make one head per task, by the task's name.

    Args:
        tasks: what the heads shall answer.
        build: makes the head of a task.

    Raises:
        ValueError: if two tasks have one name.
    """
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each task needs a head of its own name, but several are called: {', '.join(twice)}")
    return {task.name: build(task) for task in tasks}
