"""A tail behind the encoder is run once for all heads, learns from all of them, and counts as shared."""

from dataclasses import replace

import pytest
import torch

from manyheads.models import (
    DilatedResNet,
    DilatedTail,
    HeadView,
    MultiTaskModel,
    Tailed,
    drn_heads,
    seeded,
    shared_tail_heads,
)
from manyheads.tasks import classify

TASKS = [classify("rooms", classes=5), classify("things", classes=3)]


def joint() -> MultiTaskModel:
    """A narrow dilated network with a shared tail and two heads."""
    return seeded(
        lambda: MultiTaskModel(
            Tailed(DilatedResNet(width=2), tail=DilatedTail(width=2)), shared_tail_heads(TASKS, features=64)
        ),
        seed=0,
    )


def images(count: int = 2) -> torch.Tensor:
    """Images of uniform noise."""
    return torch.rand(count, 3, 16, 24, generator=torch.Generator().manual_seed(count))


def test_the_shared_tail_runs_once_for_all_heads() -> None:
    model, calls = joint(), []
    model.encoder.tail.register_forward_hook(lambda *_: calls.append("tail"))
    for head in model.heads.values():
        head.register_forward_hook(lambda *_: calls.append("head"))
    outputs = model(images())
    assert calls == ["tail", "head", "head"]
    assert {name: output.shape for name, output in outputs.items()} == {
        "rooms": (2, 5, 16, 24),
        "things": (2, 3, 16, 24),
    }


def test_the_tail_goes_on_where_the_encoder_ends() -> None:
    tailed, image = joint().encoder.eval(), images()
    assert torch.equal(tailed(image), tailed.tail(tailed.encoder(image)))
    assert tailed.features == tailed.tail.features == 64


def test_a_shared_tail_counts_as_shared_and_private_tails_as_private() -> None:
    shared = joint().parameter_counts()
    private = MultiTaskModel(DilatedResNet(width=2), drn_heads(TASKS, width=2)).parameter_counts()
    tail = sum(parameter.numel() for parameter in DilatedTail(width=2).parameters())
    assert shared.private == {"rooms": 65 * 5, "things": 65 * 3}
    assert private.private == {"rooms": tail + 65 * 5, "things": tail + 65 * 3}
    assert shared.shared == private.shared + tail


@pytest.mark.parametrize(("channels", "published"), [([19], 15.895e6), ([19, 1, 3], 15.898e6)])
def test_a_shared_network_has_the_released_parameters(channels: list[int], published: float) -> None:
    tasks = [replace(TASKS[0], name=f"task{count}", channels=count, class_names=()) for count in channels]
    with torch.device("meta"):
        model = MultiTaskModel(Tailed(DilatedResNet(), tail=DilatedTail()), shared_tail_heads(tasks))
    trained = model.parameter_counts().total
    frozen = sum(256 * count for count in channels)  # the released code's copies of the fixed kernel
    assert trained == pytest.approx(published, rel=1e-3)
    assert trained + frozen == pytest.approx(published, abs=500)


@pytest.mark.parametrize("task", ["rooms", "things"])
def test_each_task_teaches_encoder_tail_and_its_own_head_only(task: str) -> None:
    model = joint()
    model(images())[task].square().mean().backward()
    untaught = {name.split(".")[0] + "." + name.split(".")[1] for name, p in model.named_parameters() if p.grad is None}
    taught = [name for name, parameter in model.named_parameters() if parameter.grad is not None]
    assert untaught == {"heads.rooms", "heads.things"} - {f"heads.{task}"}
    assert {name.rsplit(".", maxsplit=3)[0] for name in taught} >= {"encoder.encoder", "encoder.tail"}


def test_one_dense_head_can_be_viewed_alone() -> None:
    model, image = joint().eval(), images(3).requires_grad_()
    logits = HeadView(model, "rooms")(image)
    assert logits.shape == (3, 5, 16, 24)
    assert torch.equal(logits, model(image)["rooms"])
    (gradient,) = torch.autograd.grad(logits.square().sum(), image)
    assert gradient.flatten(1).abs().sum(1).gt(0).all()
