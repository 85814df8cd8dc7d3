"""Small encoders: shapes, sizes, and that they learn within seconds."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from manyheads.models import MultiTaskModel, SmallConvNet, SmallResNet, seeded


def digit_model(encoder: nn.Module) -> MultiTaskModel:
    """A model that names the digit."""
    return MultiTaskModel(encoder, {"digit": nn.Linear(encoder.features, 10)})


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 9), (1, 2)])
def test_small_convolutions_fit_any_size(channels: int, size: int) -> None:
    encoder = SmallConvNet(channels, size=size)
    assert encoder(torch.rand(2, channels, size, size)).shape == (2, encoder.features) == (2, 128)


@pytest.mark.parametrize(("channels", "width", "blocks", "stem_stride"), [(3, 16, 1, 2), (1, 2, 2, 1), (3, 4, 1, 1)])
def test_the_small_residual_network_fits_any_size(channels: int, width: int, blocks: int, stem_stride: int) -> None:
    encoder = SmallResNet(channels, width=width, blocks=blocks, stem_stride=stem_stride)
    assert encoder(torch.rand(2, channels, 20, 20)).shape == (2, encoder.features) == (2, 4 * width)
    assert sum(isinstance(layer, nn.Conv2d) for layer in encoder.modules()) == 1 + 3 * 2 * blocks + 2


def test_the_stem_stride_shrinks_the_image() -> None:
    assert SmallResNet().layers[0](torch.rand(1, 3, 32, 32)).shape == (1, 16, 16, 16)


@pytest.mark.parametrize(
    "build",
    [SmallConvNet, lambda: SmallResNet(1, width=8, stem_stride=1)],
    ids=["convolutions", "residual"],
)
def test_a_small_encoder_learns_the_digits(build) -> None:
    digits = load_digits()
    image, label = torch.tensor(digits.images[:512, None] / 16, dtype=torch.float32), torch.tensor(digits.target[:512])
    model = seeded(lambda: digit_model(build()), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for step in range(48):
        rows = slice(step % 8 * 64, step % 8 * 64 + 64)
        loss = nn.functional.cross_entropy(model(image[rows])["digit"], label[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-8:]) < sum(losses[:8]) / 2


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="built for 8×8 pixels, got 28×28"):
        SmallConvNet()(torch.rand(1, 1, 28, 28))


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 pixels a side, got 1"):
        SmallConvNet(size=1)
