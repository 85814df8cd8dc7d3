"""Where PGD starts: anywhere in the ball, each place as likely as any other."""

import pytest
import torch
from scipy.stats import kstest
from torch import Tensor, nn

from manyheads.attacks import PGD
from manyheads.threats import Linf, Loss

EPS = 0.1
SHAPE = (8, 3, 12, 12)


class Recorder(nn.Module):
    """Remembers the images that it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.seen.append(image.detach())
        return {"mean": image.mean((1, 2, 3))}


def start(clean: Tensor, *, seed: int = 0) -> Tensor:
    """The first image that PGD shows to a model."""
    model = Recorder()
    loss = Loss(model, lambda outputs, _: outputs["mean"], None, {})
    PGD(steps=1, step_size=0.01)(loss, clean, Linf(EPS), rng=torch.Generator().manual_seed(seed))
    return model.seen[0]


def p_value(image: Tensor, clean: Tensor) -> float:
    """Kolmogorov and Smirnov's: how well the perturbation goes with a uniform one."""
    return float(kstest((image - clean).flatten().numpy(), "uniform", args=(-EPS, 2 * EPS)).pvalue)


@pytest.mark.parametrize("seed", range(4))
def test_random_starts_are_uniform_in_the_ball(seed: int) -> None:
    clean = torch.full(SHAPE, 0.5)
    assert p_value(start(clean, seed=seed), clean) > 0.01


def test_pixels_and_examples_start_independently() -> None:
    clean = torch.full((400, 1, 2, 2), 0.5)
    places = (start(clean) - clean).flatten(1)
    assert all(p_value(places[:, pixel], 0 * places[:, pixel]) > 0.01 for pixel in range(4))
    assert float((places.T.corrcoef() - torch.eye(4)).abs().max()) < 0.15


def test_clamping_with_swapped_bounds_would_start_in_a_corner() -> None:
    """The code published with Mao et al. hands its clamp the upper bound as the lower one, and the other way round."""
    clean = torch.full(SHAPE, 0.5)
    noised = clean + EPS * (2 * torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)) - 1)
    low, high = clean - EPS, clean + EPS
    swapped = noised.minimum(low).maximum(high)
    assert torch.equal(swapped, clean + EPS)
    assert p_value(swapped, clean) < 1e-9
    ours = start(clean) - clean
    assert float((ours.abs() > 0.999 * EPS).float().mean()) < 0.01
    assert float(ours.mean()) == pytest.approx(0, abs=0.01)


def test_where_the_box_cuts_the_ball_no_start_is_outside() -> None:
    clean = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)).mul(1.4).sub(0.2).clamp(0, 1)
    image = start(clean)
    assert bool(Linf(EPS).contains(image, clean).all())
    free = (clean > EPS) & (clean < 1 - EPS)
    assert p_value(image[free], clean[free]) > 0.01
