"""Budgets in L∞, L2 and L1: size, exact projection, steepest step and uniform noise of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from manyheads.deferral import may_ask
from manyheads.randomness import Streams
from manyheads.threats.budget import ROUNDING, Budget, column, shrunk
from manyheads.types import Image, PerExample

_PIXEL = 1e-7
"""More than float32 rounds a pixel by: half the distance of neighbours below one is 3e-8."""

_ROUNDS = 100
"""Rounds at most: more bisections than a double has digits."""

_ROUNDS_UNASKED = 40
"""Rounds where nobody may ask whether fewer would do: of 260 000 changes none took more than 30."""

_NEGLIGIBLE = 1e-12
"""A difference in pixel units that float32 cannot show."""


@dataclass(frozen=True)
class Linf(Budget):
    """Every pixel may change by eps.

    >>> clean = torch.full((1, 1, 1, 2), 0.5)
    >>> Linf(0.25).project(torch.tensor([[[[0.0, 0.6]]]]), clean)
    tensor([[[[0.2500, 0.6000]]]])
    """

    def __post_init__(self) -> None:
        """Refuse an eps in 0-255 units: no pixel can change by more than one."""
        super().__post_init__()
        if 1 < self.eps < float("inf"):
            raise ValueError(f"eps is in [0, 1] pixel units, got {self.eps}; write {self.eps:g}/255, not {self.eps:g}")

    def size(self, perturbation: Image) -> PerExample:
        """Return the largest absolute change."""
        return perturbation.flatten(1).abs().amax(1)

    def shrink(self, perturbation: Image, *, low: Image | None = None, high: Image | None = None) -> Image:
        """Clip every pixel's change."""
        clipped = perturbation.clamp(-self.eps, self.eps)
        clipped = clipped if low is None else clipped.maximum(low)
        return clipped if high is None else clipped.minimum(high)

    def around(self, clean: Image) -> Callable[[Image], Image]:
        """Find the darkest and brightest allowed images; between them lies the nearest."""
        low, high = ((clean + change).clamp(0, 1) for change in (-self.eps, self.eps))
        return lambda image: image.clamp(low, high)

    def steepest(self, gradient: Image, *, free: Image | None = None) -> Image:  # noqa: ARG002 (pixels do not compete)
        """Return the gradient's sign: a pixel that cannot move costs the others nothing."""
        return gradient.sign()

    def noise(self, clean: Image, rng: Streams) -> Image:
        """Draw every pixel uniformly from [−eps, eps]."""
        drawn = rng.uniform(*clean.shape[1:]).mul_(2).sub_(1)
        return drawn.mul_(_finite(self.eps)).to(clean.dtype)

    def slack(self, pixels: int) -> float:  # noqa: ARG002 (the largest of many roundings is one rounding)
        """Return one pixel's rounding."""
        return ROUNDING


@dataclass(frozen=True)
class L2(Budget):
    """The Euclidean length of the change is at most eps; `L2(float("inf"))` leaves it free."""

    def size(self, perturbation: Image) -> PerExample:
        """Return the Euclidean length."""
        return perturbation.flatten(1).norm(dim=1)

    def shrink(self, perturbation: Image, *, low: Image | None = None, high: Image | None = None) -> Image:
        """Scale the change down; pixels that hit a bound stay there while the others share what is left. Exact."""
        magnitude, room = perturbation.flatten(1).abs().double(), _room(perturbation, low=low, high=high)
        # Wanted is the scale t at which sum(min(t * magnitude, room)²) is eps². From a t that is too small, leave the
        # pixels at their bounds that are there already and scale the others: t only grows, until no more pixels join.
        scale = (self.eps / magnitude.norm(dim=1, keepdim=True)).nan_to_num(1).clamp_max(1)
        for _ in _rounds(magnitude):
            full = scale * magnitude >= room
            left = (self.eps**2 - torch.where(full, room, 0).square().sum(1, keepdim=True)).clamp_min(0)
            spread = torch.where(full, 0, magnitude).square().sum(1, keepdim=True)
            larger = (left / spread).sqrt().nan_to_num(1).clamp_max(1).maximum(scale)
            settled, scale = larger == scale, larger
            if _known_to_hold(settled):
                break
        return _signed(torch.minimum(scale * magnitude, room), like=perturbation)

    def around(self, clean: Image) -> Callable[[Image], Image]:
        """Shrink the change between the bounds of [0, 1]."""
        return partial(shrunk, self, clean)

    def steepest(self, gradient: Image, *, free: Image | None = None) -> Image:  # noqa: ARG002 (kept comparable to other tools)
        """Return the gradient, scaled to length one."""
        tiny = torch.finfo(gradient.dtype).tiny
        # First to a largest entry of one: the squares of small gradients would vanish.
        scaled = gradient / column(gradient.flatten(1).abs().amax(1).clamp_min(tiny))
        return scaled / column(self.size(scaled).clamp_min(tiny))

    def noise(self, clean: Image, rng: Streams) -> Image:
        """Draw uniformly from the ball: a uniform direction, a radius whose n-th power is uniform."""
        direction = rng.fork("direction").normal(*clean.shape[1:]).to(clean.dtype)
        radius = rng.fork("radius").uniform(1)[:, 0].double().pow(1 / clean[0].numel()).to(clean.dtype)
        return self.steepest(direction) * column(radius * _finite(self.eps))

    def slack(self, pixels: int) -> float:
        """Return the rounding of eps, and the length of one rounding in every pixel."""
        return ROUNDING * max(1, self.eps) + _PIXEL * pixels**0.5


@dataclass(frozen=True)
class L1(Budget):
    """The absolute changes of all pixels add up to at most eps."""

    pixels_compete: ClassVar[bool] = True

    def size(self, perturbation: Image) -> PerExample:
        """Return the sum of absolute changes."""
        return perturbation.flatten(1).abs().sum(1)

    def shrink(self, perturbation: Image, *, low: Image | None = None, high: Image | None = None) -> Image:
        """Subtract one threshold from every absolute change (not below zero, not above its bound). Exact.

        Reference: Duchi et al., ICML 2008 (without bounds); Croce & Hein, ICML 2021 (inside [0, 1]).
        """
        magnitude, room = perturbation.flatten(1).abs().double(), _room(perturbation, low=low, high=high)
        # Wanted is the threshold t at which sum(clip(magnitude - t, 0, room)) is eps, a falling line between bends:
        # Newton's steps, which end on it, kept by bisection between a t that is too small and one that is not.
        threshold = small = torch.zeros_like(magnitude[:, :1])
        large = magnitude.amax(1, keepdim=True)
        tried = torch.zeros_like(large, dtype=torch.bool)
        for _ in _rounds(magnitude):
            left = magnitude - threshold
            excess = left.clamp_min(0).minimum(room).sum(1, keepdim=True) - self.eps
            small, large = torch.where(excess > 0, threshold, small), torch.where(excess > 0, large, threshold)
            tried = tried | (excess <= 0)
            moving = ((left > 0) & (left < room)).sum(1, keepdim=True)
            newton = threshold + excess / moving
            # An end that was tried is no solution; going there again would go in a circle.
            between = (newton > small) & ((newton < large) | ((newton == large) & ~tried))
            closer = torch.where(between, newton, (small + large) / 2)
            done = (excess.abs() <= _NEGLIGIBLE) | ((closer - threshold).abs() <= _NEGLIGIBLE)
            threshold = torch.where(done, threshold, closer)
            if _known_to_hold(done):
                break
        change = (magnitude - threshold).clamp_min(0).minimum(room)
        fitting = (self.eps / change.sum(1, keepdim=True)).nan_to_num(1).clamp_max(1)
        return _signed(fitting * change, like=perturbation)

    def around(self, clean: Image) -> Callable[[Image], Image]:
        """Shrink the change between the bounds of [0, 1]."""
        return partial(shrunk, self, clean)

    def steepest(self, gradient: Image, *, free: Image | None = None) -> Image:
        """Change the pixels of largest gradient, one after the other, until they have moved by one in all.

        A pixel that is stopped by its bound gets a whole step all the same: what the bound cuts off costs nothing, and
        keeps the projection from pulling the pixel back.
        """
        flat = gradient.flatten(1)
        if free is None:
            free = torch.ones_like(gradient)
        order = flat.abs().argsort(dim=1, descending=True)
        share = free.flatten(1).gather(1, order)
        spent = share.cumsum(1) - share
        left = (1 - spent).clamp_min(0)
        stopped = (share <= left) & (left > 0)
        change = torch.zeros_like(flat).scatter_(1, order, torch.where(stopped, 1, left))
        return _signed(change, like=gradient)

    def noise(self, clean: Image, rng: Streams) -> Image:
        """Draw uniformly from the ball: exponential magnitudes and one more for the surface, random signs."""
        pixels = clean[0].numel()
        exponential = -(1 - rng.fork("magnitude").uniform(pixels + 1)).log()
        share = exponential[:, :-1] / exponential.sum(1, keepdim=True)
        sign = rng.fork("sign").uniform(pixels).sub(0.5).sign()
        return (share * sign * _finite(self.eps)).to(clean.dtype).view_as(clean)

    def slack(self, pixels: int) -> float:
        """Return the rounding of eps, and the sum of one rounding in every pixel."""
        return ROUNDING * max(1, self.eps) + _PIXEL * pixels


def _finite(eps: float) -> float:
    if eps == float("inf"):
        raise ValueError("no uniform noise exists in a ball without a limit; give a finite eps or use no random start")
    return eps


def _rounds(values: Tensor) -> range:
    return range(_ROUNDS if may_ask(values.device) else _ROUNDS_UNASKED)


def _known_to_hold(settled: Tensor) -> bool:
    """Tell whether no example needs another round; where that may not be asked, say no."""
    return may_ask(settled.device) and bool(settled.all())


def _room(perturbation: Image, *, low: Image | None, high: Image | None) -> Tensor:
    """How far each pixel may move in the direction of its change, `(batch, pixels)`."""
    far = torch.full_like(perturbation, float("inf"))
    up = far if high is None else high.expand_as(perturbation)
    down = far if low is None else -low.expand_as(perturbation)
    return torch.where(perturbation > 0, up, down).clamp_min(0).flatten(1).double()


def _signed(magnitude: Tensor, *, like: Image) -> Image:
    return magnitude.to(like.dtype).view_as(like) * like.sign()
