"""Faster copies of models, and when they are made again."""

import gc
import os
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import Acceleration, MultiTaskModel, SmallResNet, accelerated, bfloat16_pays
from manyheads.models.acceleration import uncompiled

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))
IMAGE = torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(0)).to(DEVICE)
SINGLE, HALF = Acceleration(precision=torch.float32), Acceleration(precision=torch.bfloat16)


@pytest.fixture
def model() -> MultiTaskModel:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return MultiTaskModel(SmallResNet(width=4), {"main": nn.Linear(16, 5)}, mean=[0.4] * 3, std=[0.3] * 3).to(
            DEVICE
        )


def outputs(model: nn.Module, image: Tensor = IMAGE) -> Tensor:
    model.eval()
    return model(image)["main"].detach()


def test_in_single_precision_it_is_the_same_function_but_for_rounding(model) -> None:
    copy = accelerated(model, SINGLE, example=IMAGE[:1])
    torch.testing.assert_close(outputs(copy), outputs(model), rtol=1e-4, atol=1e-5)
    assert not torch.equal(outputs(copy), outputs(model))


def test_in_bfloat16_it_is_nearly_the_same_function(model) -> None:
    copy = accelerated(model, HALF, example=IMAGE[:1])
    found, expected = outputs(copy), outputs(model)
    assert found.dtype == torch.float32
    error = float((found - expected).abs().max() / expected.abs().max())
    assert 1e-5 < error < 0.03
    weights = [module.weight.dtype for module in copy.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert set(weights) == {torch.bfloat16}


@pytest.mark.parametrize("how", [SINGLE, HALF])
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_outputs_and_gradients_have_the_precision_of_the_images(model, how: Acceleration, precision) -> None:
    model.to(precision)
    image = IMAGE.to(precision).requires_grad_()
    found = accelerated(model, how, example=image[:1])(image)["main"]
    (gradient,) = torch.autograd.grad(found.sum(), image)
    assert found.dtype == gradient.dtype == precision
    (expected,) = torch.autograd.grad(model.eval()(image)["main"].sum(), image)
    similarity = torch.cosine_similarity(gradient.flatten(), expected.flatten(), dim=0)
    assert float(similarity) > 0.99


@pytest.mark.skipif(DEVICE.type != "cpu", reason="on a GPU that depends on the precision")
def test_channels_come_last(model) -> None:
    seen = []
    copy = accelerated(model, SINGLE, example=IMAGE[:1])
    copy.model.encoder.layers[0].register_forward_hook(lambda *call: seen.append(call[2]))
    copy(IMAGE)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert all(
        module.weight.is_contiguous(memory_format=torch.channels_last)
        for module in copy.modules()
        if isinstance(module, nn.Conv2d)
    )


def test_a_copy_is_made_once(model) -> None:
    first = accelerated(model, SINGLE, example=IMAGE[:1])
    assert accelerated(model, SINGLE, example=IMAGE[1:]) is first
    model.train()
    assert accelerated(model, SINGLE, example=IMAGE[:1]) is first
    assert accelerated(model, HALF, example=IMAGE[:1]) is not first


def train_a_step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    model.train()
    model(IMAGE)["main"].square().sum().backward()
    optimizer.step()


def set_weight(model: MultiTaskModel) -> None:
    model.heads["main"].weight = nn.Parameter(torch.ones_like(model.heads["main"].weight))


def exchange_layer(model: MultiTaskModel) -> None:
    model.encoder.layers[2] = nn.GELU()


CHANGES: dict[str, Callable[[MultiTaskModel], object]] = {
    "training": lambda model: train_a_step(model, torch.optim.SGD(model.parameters(), 0.1)),
    "training by a fused optimiser": lambda model: train_a_step(
        model, torch.optim.Adam(model.parameters(), 0.1, fused=True)
    ),
    "a change past autograd": lambda model: model.heads["main"].bias.data.add_(0.5),
    "statistics alone": lambda model: (model.train(), model(IMAGE + 1)),
    "another tensor": set_weight,
    "another layer": exchange_layer,
    "another precision": lambda model: model.double().float().half().float(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_copy_is_never_stale(model, change: Callable[[MultiTaskModel], object]) -> None:
    first = accelerated(model, SINGLE, example=IMAGE[:1])
    before = outputs(first)
    change(model)
    copy = accelerated(model, SINGLE, example=IMAGE[:1])
    assert copy is not first
    torch.testing.assert_close(outputs(copy), outputs(model), rtol=1e-4, atol=1e-4)
    assert not torch.equal(outputs(copy), before)


class Heated(nn.Module):
    """A function with a number of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.temperature = 1.0

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"main": image.flatten(1) / self.temperature}


def test_a_plain_attribute_counts_too() -> None:
    model = Heated()
    accelerated(model, SINGLE, example=IMAGE[:1])
    model.temperature = 4.0
    assert torch.equal(outputs(accelerated(model, SINGLE, example=IMAGE[:1])), outputs(model))


def test_a_hook_counts_too() -> None:
    model = Heated()
    accelerated(model, SINGLE, example=IMAGE[:1])
    model.register_forward_hook(lambda *call: {"main": 2 * call[2]["main"]})
    assert torch.equal(outputs(accelerated(model, SINGLE, example=IMAGE[:1])), 2 * IMAGE.flatten(1))


def test_a_copy_lives_no_longer_than_its_model() -> None:
    model = Heated()
    copy = weakref.ref(accelerated(model, SINGLE, example=IMAGE[:1]))
    assert copy() is not None
    del model
    gc.collect()
    assert copy() is None


def test_a_compiler_gets_the_copy(model) -> None:
    seen = []

    def compiler(given: nn.Module) -> nn.Module:
        seen.append(given)
        return nn.Sequential(given)

    how = Acceleration(precision=torch.float32, compiler=compiler)
    copy = accelerated(model, how, example=IMAGE[:1])
    assert accelerated(model, how, example=IMAGE[:1]) is copy
    assert len(seen) == 1
    assert seen[0] is not model
    assert not any(isinstance(module, nn.BatchNorm2d) for module in seen[0].modules())
    torch.testing.assert_close(outputs(copy), outputs(model), rtol=1e-4, atol=1e-5)


def test_without_a_compiler_nothing_is_done(model) -> None:
    assert uncompiled(model) is model


def test_it_can_be_made_in_inference_mode_and_differentiated_afterwards(model) -> None:
    with torch.inference_mode():
        copy = accelerated(model, SINGLE, example=IMAGE[:1])
    image = IMAGE.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(copy(image)["main"].sum(), image)
    assert float(gradient.abs().sum()) > 0


def test_other_precisions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"searches in torch\.bfloat16 or torch\.float32, got torch\.float16"):
        Acceleration(precision=torch.float16)


def test_bfloat16_is_taken_where_a_device_has_units_for_it(monkeypatch) -> None:
    cpu = torch.device("cpu")
    for capabilities, expected in (
        ({"avx512_bf16": False, "amx_bf16": False, "avx2": True}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({}, torch.float32),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capabilities: found, raising=False)
        assert bfloat16_pays(cpu) == (expected == torch.bfloat16)
        assert Acceleration().on(cpu) == expected
    assert SINGLE.on(cpu) == torch.float32
    assert HALF.on(cpu) == torch.bfloat16


def test_a_processor_of_which_nothing_is_known_has_no_such_units(monkeypatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not bfloat16_pays(torch.device("cpu"))
    assert not bfloat16_pays(torch.device("meta"))
