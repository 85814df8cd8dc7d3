"""The halves of the residual generator fit each other at any image size, and are as large as the paper's."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from manyheads.models import GeneratorDecoder, GeneratorEncoder, instance_norm, seeded


def weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def halves(width: int = 2, blocks: int = 1, **options) -> tuple[GeneratorEncoder, GeneratorDecoder]:
    both = seeded(
        lambda: nn.ModuleList(
            [GeneratorEncoder(width=width, blocks=blocks, **options), GeneratorDecoder(width=width, **options)]
        ),
        seed=0,
    )
    return both[0], both[1]


def test_each_half_has_the_parameters_that_its_layers_have() -> None:
    encoder, decoder = GeneratorEncoder(blocks=2), GeneratorDecoder()
    convolutions = 49 * 3 * 20 + 9 * 20 * 40 + 9 * 40 * 80 + 2 * 2 * 9 * 80 * 80
    assert weights(encoder) == convolutions + 2 * (20 + 40 + 80) + 2 * 2 * 2 * 80
    assert weights(decoder) == 9 * 80 * 40 + 2 * 40 + 9 * 40 * 20 + 2 * 20 + 49 * 20 * 3 + 3


@settings(max_examples=20)
@given(height=st.integers(5, 33), width=st.integers(5, 33), count=st.integers(1, 2))
def test_the_perturbation_has_exactly_the_size_of_the_image(height: int, width: int, count: int) -> None:
    encoder, decoder = halves()
    features = encoder(torch.rand(count, 3, height, width))
    assert features.shape == (count, encoder.features, -(-height // 4), -(-width // 4))
    assert decoder(features, size=(height, width)).shape == (count, 3, height, width)


def test_channels_are_the_image_s() -> None:
    encoder, decoder = GeneratorEncoder(1, width=2, blocks=0), GeneratorDecoder(1, width=2)
    assert (encoder.channels, encoder.features, encoder.stride) == (1, 8, 4)
    assert decoder(encoder(torch.rand(2, 1, 8, 8)), size=(8, 8)).shape == (2, 1, 8, 8)


def test_perturbations_stay_within_one_and_use_both_signs() -> None:
    encoder, decoder = halves(width=4)
    with torch.no_grad():
        decoder.layers[-2].kernel.weight.mul_(100)
        raw = decoder(encoder(torch.rand(2, 3, 16, 16)), size=(16, 16))
    assert raw.abs().max() <= 1
    assert raw.min() < -0.9 < 0.9 < raw.max()


def test_blocks_add_to_what_they_are_given() -> None:
    encoder, _ = halves(blocks=2)
    for block in encoder.layers[9:]:
        nn.init.zeros_(block.path[-1].weight)
    image = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(encoder(image), encoder.layers[:9](image))


def test_an_image_keeps_its_perturbation_in_any_company_in_training_too() -> None:
    encoder, decoder = halves()
    image = torch.rand(3, 3, 17, 18)
    together = decoder(encoder.train()(image), size=(17, 18))
    alone = torch.cat([decoder(encoder(one[None]), size=(17, 18)) for one in image])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_every_parameter_is_reached() -> None:
    encoder, decoder = halves(width=4, blocks=2)
    raw = decoder(encoder(torch.rand(2, 3, 19, 22)), size=(19, 22))
    (raw * torch.rand(raw.shape)).sum().backward()
    learned = [*encoder.parameters(), *decoder.parameters()]
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in learned)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, partial(nn.InstanceNorm2d, affine=True), partial(nn.GroupNorm, 1)])
def test_the_norm_can_be_chosen_in_both_halves(norm) -> None:
    encoder, decoder = halves(norm=norm)
    kinds = {type(layer) for half in (encoder, decoder) for layer in half.modules()}
    assert kinds & {nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm} == {type(norm(2))}
    assert weights(encoder) == weights(halves()[0])


def test_the_usual_norm_is_torch_s_instance_norm() -> None:
    image = torch.rand(2, 5, 6, 7)
    torch.testing.assert_close(instance_norm(5)(image), nn.InstanceNorm2d(5, affine=True)(image))


@pytest.mark.parametrize("sides", [(8, 8), (12, 16), (9, 5)])
def test_the_last_convolution_is_a_plain_one_with_a_reflected_border(sides: tuple[int, int]) -> None:
    last, features = GeneratorDecoder(width=4).layers[-2], torch.rand(2, 4, *sides)
    plain = nn.Conv2d(4, 3, 7, padding=3, padding_mode="reflect")
    plain.load_state_dict(last.kernel.state_dict())
    torch.testing.assert_close(last(features), plain(features))


@pytest.mark.parametrize(("width", "blocks"), [(0, 1), (4, -1)])
def test_a_generator_of_nothing_is_refused(width: int, blocks: int) -> None:
    with pytest.raises(ValueError, match="a width of 1 or more and no negative blocks"):
        GeneratorEncoder(width=width, blocks=blocks)


def test_a_tiny_image_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 5×5 pixels, got 4×16"):
        GeneratorEncoder(width=2)(torch.rand(1, 3, 4, 16))


@pytest.mark.parametrize("size", [(12, 16), (17, 16)])
def test_a_size_that_does_not_fit_the_map_is_refused(size: tuple[int, int]) -> None:
    encoder, decoder = halves()
    with pytest.raises(ValueError, match=f"a map of 4×4 is none of an image of {size[0]}×{size[1]}"):
        decoder(encoder(torch.rand(1, 3, 16, 16)), size=size)
