"""A dilated decoder owns its tail and answers at the image's size."""

import pytest
import torch

from manyheads.models import DilatedDecoder, DilatedResNet, DilatedTail


@pytest.mark.parametrize("depth", [22, 105])
def test_the_answer_has_the_images_size(depth: int) -> None:
    encoder, decoder = DilatedResNet(depth=depth, width=1), DilatedDecoder(channels=3, depth=depth, width=1)
    assert decoder.eval()(encoder.eval()(torch.rand(1, 3, 16, 24))).shape == (1, 3, 16, 24)


def test_it_has_a_tail_a_pixel_layer_and_nothing_else_to_train() -> None:
    with torch.device("meta"):
        tail = sum(parameter.numel() for parameter in DilatedTail().parameters())
        decoder = sum(parameter.numel() for parameter in DilatedDecoder(channels=19).parameters())
    assert decoder == tail + 513 * 19


def test_every_parameter_is_reached() -> None:
    decoder = DilatedDecoder(channels=2, width=1)
    decoder(torch.rand(2, 16, 4, 4)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in decoder.parameters())


def test_an_unknown_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="depth is 22 or 105, got 23"):
        DilatedDecoder(channels=2, depth=23)
