"""Heads fit their tasks: linear layers for vectors, decoders for maps."""

from functools import partial

import pytest
import torch
from torch import nn

from manyheads.models import (
    DecoderMaker,
    DenseResNet18,
    DilatedDecoder,
    DilatedResNet,
    HeadView,
    MultiTaskModel,
    PixelDecoder,
    SmallDecoder,
    SmallDenseNet,
    UpsamplingDecoder,
    dense_heads,
    drn_heads,
    linear_heads,
    mtan_heads,
    seeded,
    segnet_answers,
    segnet_heads,
    shared_tail_heads,
)
from manyheads.models.heads import one_per_task
from manyheads.tasks import Brightness, Crossing, classify, cross, maps, regroup

DENSE = [classify("rooms", classes=5), classify("things", classes=3)]


def dense(seed: int = 0) -> MultiTaskModel:
    """The small model for many dense tasks."""
    return seeded(
        lambda: MultiTaskModel(SmallDenseNet(), dense_heads(DENSE, features=48, decoder=SmallDecoder)), seed=seed
    )


def test_each_head_has_its_tasks_channels() -> None:
    tasks = [
        classify("digit", classes=10),
        regroup("prime", maps.load("mnist/prime")),
        cross("lit", Crossing(10, Brightness())),
    ]
    heads = linear_heads(tasks, features=7)
    assert [(name, head.in_features, head.out_features) for name, head in heads.items()] == [
        ("digit", 7, 10),
        ("prime", 7, 2),
        ("lit", 7, 20),
    ]
    assert all(isinstance(head, nn.Linear) for head in heads.values())


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        (SmallDenseNet, SmallDecoder),
        (lambda: DenseResNet18(width=2), UpsamplingDecoder),
        (lambda: DilatedResNet(width=2), PixelDecoder),
        (lambda: DilatedResNet(width=2), partial(PixelDecoder, scale=8)),
    ],
    ids=["small", "resnet", "dilated", "partial"],
)
def test_dense_answers_have_the_images_size(encoder, decoder: DecoderMaker) -> None:
    built = encoder()
    model = MultiTaskModel(built, dense_heads(DENSE, features=built.features, decoder=decoder)).eval()
    outputs = model(torch.rand(2, 3, 32, 64))
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {
        "rooms": (2, 5, 32, 64),
        "things": (2, 3, 32, 64),
    }


def test_every_dense_head_teaches_the_shared_encoder() -> None:
    model = dense()
    for output in model(torch.rand(2, 3, 16, 16)).values():
        taught = torch.autograd.grad(output.square().mean(), list(model.encoder.parameters()), retain_graph=True)
        assert all(gradient.abs().sum() > 0 for gradient in taught)


def test_a_seed_decides_a_dense_model() -> None:
    first, again, other = (torch.nn.utils.parameters_to_vector(dense(seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_dense_head_can_be_viewed_alone() -> None:
    model, image = dense().eval(), torch.rand(2, 3, 16, 24)
    assert torch.equal(HeadView(model, "things")(image), model(image)["things"])
    assert HeadView(model, DENSE[0])(image).shape == (2, 5, 16, 24)


@pytest.mark.parametrize("depth", [22, 105])
def test_private_tails_are_one_per_task(depth: int) -> None:
    heads = drn_heads(DENSE, depth=depth, width=1)
    assert all(isinstance(head, DilatedDecoder) for head in heads.values())
    owned = [{id(parameter) for parameter in head.parameters()} for head in heads.values()]
    assert not owned[0] & owned[1]
    outputs = MultiTaskModel(DilatedResNet(depth=depth, width=1), heads).eval()(torch.rand(1, 3, 16, 16))
    assert [output.shape[1] for output in outputs.values()] == [5, 3]


def test_heads_behind_a_shared_tail_are_one_layer_each() -> None:
    heads = shared_tail_heads(DENSE)
    assert [sum(parameter.numel() for parameter in head.parameters()) for head in heads.values()] == [513 * 5, 513 * 3]


@pytest.mark.parametrize(
    "build",
    [
        partial(linear_heads, features=7),
        partial(dense_heads, features=7, decoder=SmallDecoder),
        partial(drn_heads, width=1),
        shared_tail_heads,
        partial(segnet_heads, filters=(2, 2)),
        segnet_answers,
        partial(mtan_heads, filters=(2, 2)),
    ],
    ids=["linear", "dense", "drn", "shared tail", "segnet", "segnet's answers", "mtan"],
)
def test_two_tasks_of_one_name_are_refused(build) -> None:
    with pytest.raises(ValueError, match="several are called: digit"):
        build([classify("digit", classes=10), classify("digit", classes=2)])


def test_one_head_is_built_per_task_by_its_name() -> None:
    heads = one_per_task(DENSE, lambda task: nn.Conv2d(1, task.channels, 1))
    assert {name: head.out_channels for name, head in heads.items()} == {"rooms": 5, "things": 3}
