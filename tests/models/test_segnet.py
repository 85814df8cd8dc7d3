"""SegNet is as large as published, takes any image size, and puts numbers back where they had stood."""

import pytest
import torch
from torch import nn

from manyheads.models import (
    SMALL_SEGNET_FILTERS,
    MultiTaskModel,
    SegNetAnswer,
    SegNetDecoder,
    SegNetEncoder,
    Tailed,
    seeded,
    segnet,
    segnet_answers,
    segnet_heads,
)
from manyheads.models.segnet import SegNetLevel, SegNetMaps, check_filters, convolution, narrowed
from manyheads.tasks import depth, normals, segment

TASKS = (segment(), depth(), normals())
FILTERS = (3, 4, 5)


def weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_one_task_has_the_parameters_of_the_published_network() -> None:
    with torch.device("meta"):
        assert segnet([segment(classes=13)]).parameter_counts().total == 24_981_069


def test_the_encoder_is_shared_and_each_decoder_is_private() -> None:
    with torch.device("meta"):
        model = segnet(TASKS)
        counts = model.parameter_counts()
    assert counts.shared == weights(model.encoder) == 14_723_136
    assert counts.private == {"segmentation": 10_257_933, "depth": 10_257_153, "normals": 10_257_283}


def test_a_decoder_behind_the_encoder_is_shared_too() -> None:
    encoder = Tailed(SegNetEncoder(filters=FILTERS), tail=SegNetDecoder(filters=FILTERS))
    model = MultiTaskModel(encoder, segnet_answers(TASKS, features=encoder.features))
    assert model(torch.rand(2, 3, 9, 10))["depth"].shape == (2, 1, 9, 10)
    assert model.parameter_counts().private["depth"] == (9 * 3 * 3 + 3) + (3 + 1)


@pytest.mark.parametrize(("height", "width", "channels"), [(4, 4, 1), (16, 24, 3), (17, 33, 3), (5, 40, 1)])
def test_answers_have_the_size_of_any_image(height: int, width: int, channels: int) -> None:
    model = segnet(TASKS, channels=channels, filters=FILTERS).eval()
    outputs = model(torch.rand(1, channels, height, width))
    assert {name: tuple(answer.shape) for name, answer in outputs.items()} == {
        "segmentation": (1, 13, height, width),
        "depth": (1, 1, height, width),
        "normals": (1, 3, height, width),
    }


def test_levels_are_two_or_three_convolutions_of_the_filters_width() -> None:
    encoder, decoder = SegNetEncoder(filters=SMALL_SEGNET_FILTERS), SegNetDecoder(filters=SMALL_SEGNET_FILTERS)
    lengths = [[1 + len(level.rest) for level in half.levels] for half in (encoder, decoder)]
    assert lengths == [[2, 2, 3, 3, 3]] * 2
    maps = encoder.eval()(torch.rand(1, 3, 33, 64))
    assert [tuple(last.shape[1:]) for last in maps.last] == [
        (8, 33, 64),
        (16, 17, 32),
        (32, 9, 16),
        (48, 5, 8),
        (48, 3, 4),
    ]
    assert maps.coarse.shape == (1, 48, 2, 2)
    assert [tuple(after.shape[1:]) for _, after in decoder.eval().steps(maps)] == [
        (48, 3, 4),
        (32, 5, 8),
        (16, 9, 16),
        (8, 17, 32),
        (8, 33, 64),
    ]


def test_pooling_keeps_the_largest_number_and_unpooling_puts_it_back() -> None:
    encoder, decoder = SegNetEncoder(filters=(2,)).eval(), SegNetDecoder(filters=(2,)).eval()
    maps = encoder(torch.rand(1, 3, 5, 7))
    ((refilled, _),) = decoder.steps(maps)
    (last,) = maps.last
    kept = refilled != 0
    assert torch.equal(refilled[kept], last[kept])
    assert kept.sum() <= 2 * 3 * 4
    assert torch.equal(nn.functional.max_pool2d(refilled, 2, ceil_mode=True), maps.coarse)


def test_unpooling_follows_the_places_of_the_encoder() -> None:
    decoder = SegNetDecoder(filters=(1,)).eval()
    place = torch.tensor([[[[5, 2]]]])  # row 1, column 1 and row 0, column 2 of a map of 2×4
    maps = SegNetMaps(torch.tensor([[[[3.0, 4.0]]]]), (), (torch.zeros(1, 1, 2, 4),), (place,))
    ((refilled, _),) = decoder.steps(maps)
    assert refilled.tolist() == [[[[0, 0, 4, 0], [0, 3, 0, 0]]]]


def test_a_level_s_first_convolution_changes_the_width() -> None:
    level = SegNetLevel(before=2, after=5, convolutions=3)
    assert (level.first[0].in_channels, level.first[0].out_channels) == (2, 5)
    assert [(layer[0].in_channels, layer[0].out_channels) for layer in level.rest] == [(5, 5), (5, 5)]


def test_a_convolution_is_normalised_and_rectified() -> None:
    layers = convolution(before=2, after=3)
    found = layers(torch.rand(4, 2, 6, 7))
    assert found.shape == (4, 3, 6, 7)
    assert found.min() == 0
    assert found.max() < 6


def test_decoders_narrow_towards_the_image() -> None:
    assert narrowed((64, 128, 256)) == (64, 64, 128)


def test_the_answer_is_linear() -> None:
    answer = SegNetAnswer(2, channels=3)
    one, other = torch.rand(2, 1, 2, 5, 6).unbind()
    both = answer(one) + answer(other)
    torch.testing.assert_close(answer(one + other) + answer(torch.zeros_like(one)), both, rtol=1e-4, atol=1e-5)


def test_every_parameter_is_reached() -> None:
    model = segnet(TASKS, filters=FILTERS)
    sum(answer.square().mean() for answer in model(torch.rand(3, 3, 24, 24)).values()).backward()
    untouched = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert untouched == []


def test_the_network_learns_where_a_square_is() -> None:
    generator = torch.Generator().manual_seed(0)
    image, truth = torch.rand(8, 3, 23, 30, generator=generator), torch.zeros(8, 23, 30, dtype=torch.long)
    for place in range(8):
        rows, columns = slice(place, place + 10), slice(2 * place, 2 * place + 8)
        truth[place, rows, columns] = 1
        image[place, :, rows, columns] *= 0.3
    model = seeded(lambda: segnet([segment("square", classes=2)], filters=(6, 8, 8)), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        losses.append(nn.functional.cross_entropy(model(image)["square"], truth))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("filters", [(), (4, 0), (-1,)])
@pytest.mark.parametrize(
    "build",
    [
        check_filters,
        lambda filters: SegNetEncoder(filters=filters),
        lambda filters: SegNetDecoder(filters=filters),
        lambda filters: segnet_heads(TASKS, filters=filters),
    ],
)
def test_filters_of_nothing_are_refused(build, filters: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="filters are the channels of each level, one level or more"):
        build(filters)
