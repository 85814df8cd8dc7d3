"""ResNet-18 for small images has the known size and shapes."""

import pytest
import torch
from torch import nn

from manyheads.models import MultiTaskModel, ResNet18
from manyheads.models.encoders import BasicBlock, residual_layers


def test_the_cifar10_network_has_the_known_parameters() -> None:
    with torch.device("meta"):
        model = MultiTaskModel(ResNet18(), {"object": nn.Linear(512, 10)})
    assert model.parameter_counts().total == 11_173_962


@pytest.mark.parametrize(("channels", "width", "size"), [(3, 4, 32), (1, 2, 28), (3, 2, 9)])
def test_features_fit_any_size(channels: int, width: int, size: int) -> None:
    encoder = ResNet18(channels, width=width)
    assert encoder.features == 8 * width
    assert encoder(torch.rand(2, channels, size, size)).shape == (2, encoder.features)


def test_a_block_adds_its_input() -> None:
    block = BasicBlock(before=4, after=4, stride=1).eval()
    nn.init.zeros_(block.path[3].weight)
    image = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(image), image.relu())


def test_a_block_that_changes_shape_projects_its_input() -> None:
    block = BasicBlock(before=4, after=6, stride=2).eval()
    nn.init.zeros_(block.path[3].weight)
    image = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(image), block.shortcut(image).relu())
    assert block(image).shape == (2, 6, 4, 4)


def test_the_image_is_halved_at_each_stage_after_the_first() -> None:
    layers = residual_layers(channels=3, widths=(2, 4, 8), blocks=(1, 2, 1))
    shapes, hidden = [], torch.rand(1, 3, 16, 16)
    for layer in layers:
        hidden = layer(hidden)
        shapes.append(tuple(hidden.shape[1:]))
    assert shapes == [(2, 16, 16)] * 4 + [(4, 8, 8)] * 2 + [(8, 4, 4), (8, 1, 1), (8,)]


def test_the_stem_may_shrink_the_image() -> None:
    layers = residual_layers(channels=3, widths=(2,), blocks=(1,), stem_stride=2)
    assert layers[0](torch.rand(1, 3, 16, 16)).shape == (1, 2, 8, 8)


def test_a_dilated_block_keeps_its_size_and_looks_further() -> None:
    block = BasicBlock(before=1, after=1, stride=1, dilation=3).eval()
    for parameter in block.parameters():
        nn.init.ones_(parameter)
    image = torch.zeros(1, 1, 15, 15)
    image[0, 0, 7, 7] = 1
    seen = (block(image)[0, 0, 7] > block(torch.zeros_like(image))[0, 0, 7]).nonzero().flatten()
    assert seen.tolist() == [1, 4, 7, 10, 13]
