"""The small decoder is small, enlarges four times, and lays its four answers out where they belong."""

import pytest
import torch
from torch import nn

from manyheads.models import SmallDecoder


@pytest.mark.parametrize(("features", "channels", "width"), [(48, 13, 32), (5, 1, 4)])
def test_the_answer_is_four_times_as_large(features: int, channels: int, width: int) -> None:
    decoder = SmallDecoder(features, channels=channels, width=width)
    assert decoder(torch.rand(2, features, 3, 5)).shape == (2, channels, 12, 20)


@pytest.mark.parametrize("channels", [1, 13])
def test_it_has_the_parameters_that_it_says(channels: int) -> None:
    decoder = SmallDecoder(48, channels=channels)
    assert sum(parameter.numel() for parameter in decoder.parameters()) == 23_168 + 132 * channels


def test_a_constant_map_gives_its_four_answers_side_by_side() -> None:
    decoder = SmallDecoder(2, channels=1, width=2).eval()
    last = decoder.layers[6]
    nn.init.zeros_(last.weight)
    with torch.no_grad():
        last.bias.copy_(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    answer = decoder(torch.rand(1, 2, 2, 2))[0, 0]
    corners = answer[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_every_parameter_is_reached() -> None:
    decoder = SmallDecoder(4, channels=2, width=4)
    decoder(torch.rand(2, 4, 4, 4)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in decoder.parameters())
