"""The upsampling decoder has the published size and undoes a stride of 32."""

import pytest
import torch
from torch import nn

from manyheads.models import UpsamplingDecoder


@pytest.mark.parametrize("channels", [1, 3])
def test_it_has_the_published_parameters(channels: int) -> None:
    with torch.device("meta"):
        decoder = UpsamplingDecoder(512, channels=channels)
    count = sum(parameter.numel() for parameter in decoder.parameters())
    assert count == pytest.approx(1.505e6, rel=1e-3)
    assert count == 1_504_512 + 289 * channels


@pytest.mark.parametrize(("features", "channels"), [(4, 1), (8, 17)])
def test_the_answer_is_32_times_as_large(features: int, channels: int) -> None:
    decoder = UpsamplingDecoder(features, channels=channels).eval()
    assert decoder(torch.rand(1, features, 1, 2)).shape == (1, channels, 32, 64)


def test_the_widths_fall_and_the_last_layer_is_bare() -> None:
    with torch.device("meta"):
        decoder = UpsamplingDecoder(512, channels=7)
    enlarging = [layer.out_channels for layer in decoder.layers if isinstance(layer, nn.ConvTranspose2d)]
    smoothing = [layer.out_channels for layer in decoder.layers if isinstance(layer, nn.Conv2d)]
    assert enlarging == [256, 128, 64, 48, 32]
    assert smoothing == [256, 128, 64, 48, 7]
    assert [type(layer) for layer in decoder.layers[:6]] == [
        *(nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU),
        *(nn.Conv2d, nn.BatchNorm2d, nn.ReLU),
    ]
    assert len(decoder.layers) == 4 * 6 + 4


def test_the_answer_may_be_negative() -> None:
    decoder = UpsamplingDecoder(4, channels=1)
    assert decoder(torch.rand(2, 4, 1, 1)).min() < 0


def test_every_parameter_but_a_bias_before_batch_norm_is_reached() -> None:
    decoder = UpsamplingDecoder(4, channels=2)
    decoder(torch.rand(2, 4, 2, 2)).square().mean().backward()
    weights = [parameter for parameter in decoder.parameters() if parameter.ndim > 1]
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)
