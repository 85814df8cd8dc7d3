"""Madry's LeNet: 1024 features from images of any size that can be pooled twice."""

import pytest
import torch
from torch import nn

from manyheads.models import LeNet, MultiTaskModel


def test_the_ten_digit_network_has_madrys_parameters() -> None:
    with torch.device("meta"):
        model = MultiTaskModel(LeNet(), {"digit": nn.Linear(1024, 10)})
    assert model.parameter_counts().total == 3_274_634


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (2, 7), (1, 4)])
def test_features_fit_any_size(channels: int, size: int) -> None:
    encoder = LeNet(channels, size=size)
    assert encoder(torch.rand(2, channels, size, size)).shape == (2, encoder.features) == (2, 1024)


def test_features_equal_the_layers_written_out() -> None:
    encoder, image = LeNet(), torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    first, second = (layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d))
    (last,) = (layer for layer in encoder.modules() if isinstance(layer, nn.Linear))
    hidden = nn.functional.conv2d(image, first.weight, first.bias, padding=2).relu()
    hidden = nn.functional.max_pool2d(hidden, 2)
    hidden = nn.functional.conv2d(hidden, second.weight, second.bias, padding=2).relu()
    hidden = nn.functional.max_pool2d(hidden, 2)
    expected = (hidden.reshape(2, 3136) @ last.weight.T + last.bias).relu()
    torch.testing.assert_close(encoder(image), expected)


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 pixels a side, got 3"):
        LeNet(size=3)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="built for 28×28 pixels, got 32×28"):
        LeNet()(torch.rand(1, 1, 32, 28))
