"""AlexNet at 112 pixels keeps the original's layers."""

import pytest
import torch

from manyheads.models import AlexNet


def test_layers_are_as_large_as_the_originals() -> None:
    with torch.device("meta"):
        encoder = AlexNet()
    # the thousand-class network of 2014 has 61,100,840, and 4,097,000 of them are its last layer
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 61_100_840 - 4_097_000
    assert encoder.features == 4096


def test_features_come_from_112_pixels() -> None:
    encoder = AlexNet(1, hidden=8)
    assert encoder(torch.rand(2, 1, 112, 112)).shape == (2, 8)


def test_train_mode_draws_nothing() -> None:
    encoder, image = AlexNet(hidden=8).train(), torch.rand(1, 3, 112, 112)
    assert torch.equal(encoder(image), encoder(image))


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="built for 112×112 pixels, got 224×224"):
        AlexNet(hidden=8)(torch.rand(1, 3, 224, 224))
