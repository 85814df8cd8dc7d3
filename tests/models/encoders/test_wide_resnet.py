"""Wide residual networks have the known sizes and shapes."""

import pytest
import torch
from torch import nn

from manyheads.models import MultiTaskModel, WideResNet
from manyheads.models.encoders import PreActivationBlock


@pytest.mark.parametrize(("depth", "widen", "known"), [(34, 10, 46_160_474), (28, 10, 36_479_194), (40, 2, 2_243_546)])
def test_the_cifar10_networks_have_the_known_parameters(depth: int, widen: int, known: int) -> None:
    with torch.device("meta"):
        model = MultiTaskModel(WideResNet(depth=depth, widen=widen), {"object": nn.Linear(64 * widen, 10)})
    assert model.parameter_counts().total == known


def test_wrn_34_10_is_the_default() -> None:
    with torch.device("meta"):
        model = WideResNet()
    assert (model.features, sum(isinstance(layer, nn.Conv2d) for layer in model.modules())) == (640, 31 + 3)


@pytest.mark.parametrize(("channels", "depth", "size"), [(3, 10, 32), (1, 16, 28), (3, 10, 9)])
def test_features_fit_any_size(channels: int, depth: int, size: int) -> None:
    encoder = WideResNet(channels, depth=depth, widen=1)
    assert encoder(torch.rand(2, channels, size, size)).shape == (2, encoder.features) == (2, 64)


def test_a_block_adds_its_untouched_input() -> None:
    block = PreActivationBlock(before=4, after=4, stride=1).eval()
    nn.init.zeros_(block.path[3].weight)
    image = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(image), image)


def test_a_block_that_changes_shape_projects_its_activated_input() -> None:
    block = PreActivationBlock(before=4, after=6, stride=2).eval()
    nn.init.zeros_(block.path[3].weight)
    image = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = block.projection(block.activation(image))
    torch.testing.assert_close(block(image), expected)
    assert expected.shape == (2, 6, 4, 4)


def test_convolutions_start_with_hes_spread() -> None:
    widening = WideResNet(depth=10, widen=4).blocks[-1].path[0]
    assert (widening.in_channels, widening.out_channels) == (128, 256)
    assert widening.weight.std().item() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("depth", [4, 11, 35])
def test_a_depth_that_makes_no_network_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth is 10, 16, 22, 28, 34 ..., got {depth}"):
        WideResNet(depth=depth)
