"""Dilated residual networks have the published sizes, keep their map at an eighth of the image, and see far."""

import pytest
import torch
from torch import nn

from manyheads.models import DilatedResNet, DilatedTail
from manyheads.models.encoders import Bottleneck

# With the classifier of 1000 classes that they were published with; Yu et al. give 16.4 and 54.8 million.
CLASSIFIER = 512 * 1000 + 1000


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def constant(module: nn.Module) -> nn.Module:
    """The same network in eval mode with positive weights, so that nothing that is seen cancels out."""
    for parameter in module.parameters():
        nn.init.constant_(parameter, 0.01)
    return module.eval()


def dilations(module: nn.Module) -> list[int]:
    """Of each convolution that looks further than one pixel, in order."""
    found = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1)]
    return [layer.dilation[0] for layer in found]


@pytest.mark.parametrize(("depth", "published", "features"), [(22, 16.4e6, 256), (105, 54.8e6, 1024)])
def test_encoder_and_tail_have_the_published_parameters(depth: int, published: float, features: int) -> None:
    with torch.device("meta"):
        encoder, tail = DilatedResNet(depth=depth), DilatedTail(depth=depth)
    assert parameters(encoder) + parameters(tail) + CLASSIFIER == pytest.approx(published, rel=1e-3)
    assert (encoder.features, tail.features) == (features, 512)


@pytest.mark.parametrize("depth", [22, 105])
def test_the_map_is_an_eighth_of_the_image_and_the_tail_keeps_it(depth: int) -> None:
    encoder, tail = DilatedResNet(depth=depth, width=2).eval(), DilatedTail(depth=depth, width=2).eval()
    features = encoder(torch.rand(1, 3, 32, 48))
    assert features.shape == (1, encoder.features, 32 // encoder.stride, 48 // encoder.stride)
    assert tail(features).shape == (1, 64, 4, 6)


def test_dilation_rises_to_four_and_falls_to_one() -> None:
    assert dilations(DilatedResNet(width=2)) == [1] * 3 + [1] * 8 + [2] * 4
    assert dilations(DilatedTail(width=2)) == [4] * 4 + [2, 1]


def test_the_deep_network_dilates_its_bottlenecks_likewise() -> None:
    assert dilations(DilatedResNet(depth=105, width=1)) == [1] * 3 + [1] * 7 + [2] * 23
    assert dilations(DilatedTail(depth=105, width=1)) == [4] * 3 + [2, 1]


def test_the_tail_sees_as_far_as_its_dilations_add_up() -> None:
    tail, features = constant(DilatedTail(width=1)), torch.rand(1, 16, 45, 45, requires_grad=True)
    (gradient,) = torch.autograd.grad(tail(features)[0, :, 22, 22].sum(), features)
    reach = 4 * 4 + 2 + 1
    assert gradient[0, 0, 22].nonzero().flatten()[[0, -1]].tolist() == [22 - reach, 22 + reach]


@pytest.mark.parametrize(("before", "stride"), [(8, 1), (8, 2), (12, 1)])
def test_a_bottleneck_adds_its_input_or_a_projection_of_it(before: int, stride: int) -> None:
    block = Bottleneck(before=before, after=8, stride=stride, dilation=2).eval()
    nn.init.zeros_(block.path[6].weight)
    image = torch.randn(2, before, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(image), block.shortcut(image).relu())
    assert block(image).shape == (2, 8, 6 // stride, 6 // stride)
    assert len(block.shortcut) == (0 if (before, stride) == (8, 1) else 2)


def test_an_image_with_odd_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 8, got 30×48"):
        DilatedResNet(width=1)(torch.rand(1, 3, 30, 48))


@pytest.mark.parametrize("build", [DilatedResNet, DilatedTail])
def test_an_unknown_depth_is_refused(build) -> None:
    with pytest.raises(ValueError, match="depth is 22 or 105, got 54"):
        build(depth=54)
