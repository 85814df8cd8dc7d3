"""The small dense network fits its decoder, sees the whole image and learns within seconds."""

import pytest
import torch
from torch import nn

from manyheads.models import MultiTaskModel, SmallDecoder, SmallDenseNet, seeded


def test_the_network_is_small() -> None:
    assert sum(parameter.numel() for parameter in SmallDenseNet().parameters()) == 303_320


@pytest.mark.parametrize(("channels", "sides"), [(3, (64, 96)), (1, (8, 16))])
def test_the_map_is_a_quarter_of_the_image(channels: int, sides: tuple[int, int]) -> None:
    encoder = SmallDenseNet(channels).eval()
    shape = (2, encoder.features, sides[0] // encoder.stride, sides[1] // encoder.stride)
    assert encoder(torch.rand(2, channels, *sides)).shape == shape == (2, 48, sides[0] // 4, sides[1] // 4)


def test_a_corner_of_the_map_sees_the_opposite_corner_of_the_image() -> None:
    encoder, image = SmallDenseNet().eval(), torch.rand(1, 3, 64, 96, requires_grad=True)
    for parameter in encoder.parameters():
        nn.init.constant_(parameter, 0.01)
    (gradient,) = torch.autograd.grad(encoder(image)[0, :, 0, 0].sum(), image)
    assert gradient[0, :, -1, -1].abs().min() > 0


def test_fine_and_coarse_map_both_reach_the_result() -> None:
    encoder = SmallDenseNet()
    encoder(torch.rand(2, 3, 16, 16)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in encoder.parameters())


def test_the_network_learns_where_a_square_is() -> None:
    generator = torch.Generator().manual_seed(0)
    image, truth = torch.rand(24, 3, 24, 32, generator=generator), torch.zeros(24, 24, 32, dtype=torch.long)
    for place in range(24):
        rows, columns = slice(place % 12, place % 12 + 10), slice(place, place + 8)
        truth[place, rows, columns] = 1
        image[place, :, rows, columns] *= 0.3
    model = seeded(lambda: MultiTaskModel(SmallDenseNet(), {"square": SmallDecoder(48, channels=2)}), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(16):
        losses.append(nn.functional.cross_entropy(model(image)["square"], truth))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 3


def test_an_image_with_odd_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 8, got 60×96"):
        SmallDenseNet()(torch.rand(1, 3, 60, 96))
