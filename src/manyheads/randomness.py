"""Random numbers that belong to an example, not to the batch it happens to stand in.

A stream is a value: the same stream always gives the same numbers, on every device and for every batch size. To draw
again, `fork` it under another label. The numbers are SplitMix64's (Steele, Lea & Flood, OOPSLA 2014), computed with
integer tensor operations.
"""

import hashlib
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from manyheads.types import Image

_INCREMENT = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64


def mix(value: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    """Scramble 64-bit integers so that neighbours become unrelated; a bijection (SplitMix64's finaliser)."""
    # Many numbers are drawn at once: one piece of memory serves for all shifted ones.
    shifted = _shift(value, places=30)
    mixed = (value ^ shifted).mul_(_FIRST)
    mixed.bitwise_xor_(_shift(mixed, places=27, into=shifted)).mul_(_SECOND)
    return mixed.bitwise_xor_(_shift(mixed, places=31, into=shifted))


def _shift(value: Tensor, *, places: int, into: Tensor | None = None) -> Tensor:
    """Shift right as if unsigned: torch's own shift keeps the sign."""
    return torch.bitwise_right_shift(value, places, out=into).bitwise_and_((1 << (64 - places)) - 1)


def _repeats(content: Tensor) -> Tensor:
    """For each entry, how many equal ones stand before it."""
    order = content.argsort(stable=True)
    ordered = content[order]
    places = torch.arange(len(content), device=content.device)
    new = torch.ones_like(places, dtype=torch.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first = torch.where(new, places, 0).cummax(0).values if len(content) else places
    return torch.empty_like(places).scatter_(0, order, places - first)


def _offset(label: int | str) -> int:
    """How far a label moves a seed, as a signed 64-bit integer; torch refuses any that does not fit."""
    number = label
    if isinstance(label, str):
        number = int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest())
    return (int(number) * _INCREMENT + 2**63) % 2**64 - 2**63


@dataclass(frozen=True, eq=False)
class Streams:
    """One independent stream of random numbers per example.

    Args:
        seeds: one 64-bit seed per example; equal seeds give equal numbers.

    >>> streams = Streams.of_examples(torch.tensor([7, 8]), seed=0, stage="attack")
    >>> both = streams.uniform(3)
    >>> bool((both[1:] == streams.select(torch.tensor([1])).uniform(3)).all())
    True
    """

    seeds: Int64[Tensor, " batch"]

    @staticmethod
    def of_examples(index: Int64[Tensor, " batch"], *, seed: int, stage: int | str) -> "Streams":
        """Streams that depend on the run's seed, the stage of the run and each example's index, on nothing else."""
        return Streams(mix(index + 1)).fork(seed).fork(stage)

    @staticmethod
    def of_images(image: Image, rng: torch.Generator | None = None) -> "Streams":
        """Streams that depend on one draw from `rng` and on each image's content.

        An image keeps its stream in any batch. Equal images in one batch are told apart by their order. Without `rng`
        the draw comes from torch's global generator, so that `torch.manual_seed` decides.
        """
        device = rng.device if rng is not None else torch.device("cpu")
        base = int(torch.randint(2**62, (), generator=rng, device=device))
        levels = (image.detach().flatten(1).double() * 65535).round_().long()
        places = torch.arange(1, levels.shape[1] + 1, device=levels.device)
        content = mix(levels.add_(mix(places * _INCREMENT))).sum(1)
        return Streams(mix(content + _repeats(content) * _INCREMENT)).fork(base)

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.seeds)

    def fork(self, label: int | str) -> "Streams":
        """Streams unrelated to these and to those of any other label."""
        return Streams(mix(mix(self.seeds) + _offset(label)))

    def select(self, rows: Tensor) -> "Streams":
        """Keep the streams of some examples (indices or a mask)."""
        return Streams(self.seeds[rows])

    def to(self, device: torch.device) -> "Streams":
        """Move the seeds; the numbers stay the same."""
        return Streams(self.seeds.to(device))

    def uniform(self, *shape: int) -> Float[Tensor, "batch ..."]:
        """Draw from [0, 1), float32, shape `(batch, *shape)`; multiples of 2⁻²⁴."""
        places = torch.arange(1, math.prod(shape) + 1, device=self.seeds.device)
        bits = mix(self.seeds[:, None] + places * _INCREMENT)
        return _shift(bits, places=40, into=bits).float().mul_(2.0**-24).reshape(len(self), *shape)

    def normal(self, *shape: int) -> Float[Tensor, "batch ..."]:
        """Draw from the standard normal distribution, float32, shape `(batch, *shape)` (Box & Muller 1958)."""
        radius = (-2 * (1 - self.fork("radius").uniform(*shape)).log()).sqrt()
        return radius * (2 * math.pi * self.fork("angle").uniform(*shape)).cos()


Randomness = Streams | torch.Generator | None
"""What callers may hand in wherever something is drawn."""


def streams_for(image: Image, rng: Randomness) -> Streams:
    """Make one stream per image out of whatever the caller handed in.

    Raises:
        ValueError: if ready-made streams are not as many as the images.
    """
    if not isinstance(rng, Streams):
        return Streams.of_images(image, rng)
    if len(rng) != len(image):
        raise ValueError(f"one stream per image is needed: got {len(rng)} streams for {len(image)} images")
    return rng.to(image.device)
