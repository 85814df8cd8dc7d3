"""The attention network is as large as published; masks let each task pick its own from maps computed once."""

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import AttendedSegNet, AttentionHead, mtan, mtan_heads, seeded, segnet
from manyheads.models.mtan import AttendedMaps, Attention
from manyheads.tasks import depth, normals, segment

TASKS = (segment(), depth(), normals())
FILTERS = (3, 4, 5)


def small(seed: int = 0):
    return seeded(lambda: mtan(TASKS, filters=FILTERS), seed=seed)


def image(height: int = 18, width: int = 23) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_three_tasks_have_the_parameters_of_the_published_network() -> None:
    with torch.device("meta"):
        total = mtan(TASKS).parameter_counts().total
        alone = segnet(TASKS[:1]).parameter_counts().total
    assert total == 44_229_073
    assert total / alone == pytest.approx(1.77, abs=0.005)


def test_attention_is_private_and_everything_else_shared() -> None:
    model = small()
    counts = model.parameter_counts()
    assert counts.shared == sum(parameter.numel() for parameter in model.encoder.parameters())
    assert counts.private == {
        name: sum(parameter.numel() for parameter in head.parameters()) for name, head in model.heads.items()
    }
    assert sum(value.numel() for value in model.parameters()) == counts.total


def test_weights_hold_what_is_shared_once() -> None:
    names = list(small().state_dict())
    assert sum("coarser.0.0.weight" in name for name in names) == sum("finer.0.0.weight" in name for name in names) == 1


@pytest.mark.parametrize(("height", "width"), [(4, 4), (16, 24), (17, 33), (5, 40)])
def test_answers_have_the_size_of_any_image(height: int, width: int) -> None:
    outputs = small().eval()(image(height, width))
    assert {name: tuple(answer.shape) for name, answer in outputs.items()} == {
        "segmentation": (2, 13, height, width),
        "depth": (2, 1, height, width),
        "normals": (2, 3, height, width),
    }


def test_images_with_one_channel_will_do() -> None:
    model = mtan(TASKS[1:2], channels=1, filters=FILTERS).eval()
    assert model(torch.rand(2, 1, 9, 9))["depth"].shape == (2, 1, 9, 9)


def test_the_shared_maps_are_those_of_segnet() -> None:
    encoder = AttendedSegNet(filters=FILTERS).eval()
    maps, inside = encoder(image()), encoder.encoder(image())
    assert all(torch.equal(last, found) for (_, last), found in zip(maps.down, inside.last, strict=True))
    assert all(torch.equal(first, found) for (first, _), found in zip(maps.down, inside.first, strict=True))
    assert torch.equal(maps.up[-1][1], encoder.decoder(inside))
    assert [tuple(refilled.shape[1:]) for refilled, _ in maps.up] == [(5, 5, 6), (4, 9, 12), (3, 18, 23)]
    assert encoder.features == 3


def test_layers_between_levels_lead_from_width_to_width() -> None:
    encoder = AttendedSegNet(filters=FILTERS)
    widths = [
        [(layer[0].in_channels, layer[0].out_channels) for layer in way] for way in (encoder.coarser, encoder.finer)
    ]
    assert widths == [[(3, 4), (4, 5), (5, 5)], [(5, 4), (4, 3), (3, 3)]]


def test_a_mask_lies_between_zero_and_one() -> None:
    attention, seen, last = Attention(before=2, after=3), torch.rand(4, 2, 5, 6), torch.ones(4, 3, 5, 6)
    mask = attention(seen, last=last)
    assert 0 < mask.min() < mask.max() < 1
    torch.testing.assert_close(attention(seen, last=-2 * last), -2 * mask)


def test_masks_are_made_from_the_first_map_and_what_was_picked_before() -> None:
    head = AttentionHead(channels=1, filters=FILTERS)
    assert [attention.mask[0].in_channels for attention in head.down] == [3, 8, 10]
    assert [attention.mask[0].in_channels for attention in head.up] == [5 + 4, 4 + 3, 3 + 3]


def test_masks_of_zero_leave_nothing_of_the_last_level() -> None:
    model = small()
    for head in model.heads.values():
        nn.init.constant_(head.up[-1].mask[-2].bias, -1e4)
    plain, other = model(image()), model(1 - image())
    assert all(torch.equal(plain[name], other[name]) for name in plain)


def test_masks_of_one_head_do_not_touch_another_s_answer() -> None:
    model = small()
    before = model(image())
    nn.init.constant_(model.heads["depth"].down[0].mask[-2].bias, -1e4)
    after = model(image())
    assert not torch.allclose(before["depth"], after["depth"])
    assert torch.equal(before["normals"], after["normals"])


def test_every_parameter_is_reached() -> None:
    model = small()
    sum(answer.square().mean() for answer in model(torch.rand(3, 3, 24, 24)).values()).backward()
    untouched = [name for name, value in model.named_parameters() if value.grad is None or not value.grad.abs().any()]
    assert [name for name in untouched if "bias" not in name] == []  # batch-norm takes away the biases before it


def test_an_answer_needs_the_maps_of_all_levels() -> None:
    head = mtan_heads(TASKS[1:2], filters=FILTERS)["depth"]
    maps = AttendedSegNet(filters=FILTERS[:2])(image())
    with pytest.raises(ValueError, match="shorter"):
        head(AttendedMaps(maps.down, maps.up, maps.coarser, maps.finer))


@pytest.mark.parametrize("filters", [(), (4, 0)])
@pytest.mark.parametrize(
    "build",
    [
        lambda filters: AttendedSegNet(filters=filters),
        lambda filters: AttentionHead(channels=1, filters=filters),
        lambda filters: mtan(TASKS, filters=filters),
    ],
)
def test_filters_of_nothing_are_refused(build, filters: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="filters are the channels of each level, one level or more"):
        build(filters)
