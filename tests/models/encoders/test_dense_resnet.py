"""The dense ResNet-18 has the known size, and a map that is a 32nd of the image."""

import pytest
import torch

from manyheads.models import DenseResNet18


def test_the_encoder_has_the_known_parameters() -> None:
    with torch.device("meta"):
        encoder = DenseResNet18()
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 11_176_512


@pytest.mark.parametrize(("channels", "width", "sides"), [(3, 4, (64, 96)), (1, 2, (32, 32))])
def test_the_map_is_a_32nd_of_the_image(channels: int, width: int, sides: tuple[int, int]) -> None:
    encoder = DenseResNet18(channels, width=width).eval()
    assert encoder.stride == 32
    assert encoder(torch.rand(2, channels, *sides)).shape == (2, encoder.features, sides[0] // 32, sides[1] // 32)
    assert encoder.features == 8 * width


def test_stem_and_stages_halve_the_map() -> None:
    encoder = DenseResNet18(width=2).eval()
    shapes, hidden = [], torch.rand(1, 3, 64, 64)
    for layer in (*encoder.stem, *encoder.blocks):
        hidden = layer(hidden)
        shapes.append(tuple(hidden.shape[1:3]))
    assert shapes == [(2, 32)] * 3 + [(2, 16)] * 3 + [(4, 8)] * 2 + [(8, 4)] * 2 + [(16, 2)] * 2


def test_an_image_with_odd_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32, got 64×80"):
        DenseResNet18(width=2)(torch.rand(1, 3, 64, 80))
