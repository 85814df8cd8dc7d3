"""Batch norms folded into convolutions: the same function, with fewer layers."""

import os
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import DilatedResNet, MultiTaskModel, ResNet18, SmallResNet, WideResNet, folded

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))


class OwnForward(nn.Module):
    """What `forward` does decides what may be folded: no list of layers says it."""

    def __init__(self, forward: Callable[["OwnForward", Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm, self.other = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.way = forward

    def forward(self, image: Tensor) -> Tensor:
        if float(image.detach().sum()) > 1e9 or image.shape[1] != 3:  # a tracer of symbols gives up here
            raise ValueError
        return self.way(self, image)


def in_turn(net: OwnForward, image: Tensor) -> Tensor:
    return net.other(net.second(net.norm(net.first(image)).relu()))


def thrice(net: OwnForward, image: Tensor) -> Tensor:
    features = net.norm(net.first(image))
    for _ in range(3):
        features = net.other(net.second(features)).relu()
    return features


def norm_used_twice(net: OwnForward, image: Tensor) -> Tensor:
    return net.norm(net.second(net.norm(net.first(image)).relu()))


def convolution_used_twice(net: OwnForward, image: Tensor) -> Tensor:
    features = net.first(image)
    return net.norm(features) + features


def two_norms_of_one_convolution(net: OwnForward, image: Tensor) -> Tensor:
    features = net.first(image)
    return net.norm(features) + net.other(features)


def convolution_with_two_takers_in_turn(net: OwnForward, image: Tensor) -> Tensor:
    return net.norm(net.second(net.other(net.second(net.first(image)))))


def something_between(net: OwnForward, image: Tensor) -> Tensor:
    return net.norm(net.first(image).relu())


def norm_first(net: OwnForward, image: Tensor) -> Tensor:
    return net.norm(net.first(image).detach().clone()) + net.other(image[:, :1].expand(-1, 4, -1, -1))


def result_returned_too(net: OwnForward, image: Tensor) -> Tensor:
    features = net.first(image)
    return [features, net.other(net.second(net.norm(features)))]


def past_the_module(net: OwnForward, image: Tensor) -> Tensor:
    return net.norm(net.first(image)) + nn.functional.conv2d(image, net.first.weight, padding=1)


def at_random(net: OwnForward, image: Tensor) -> Tensor:
    return net.norm(net.first(image)) + torch.rand(())


def trained(model: nn.Module) -> nn.Module:
    """Give every batch norm statistics and weights of its own."""
    generator = torch.Generator().manual_seed(3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator))
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
            module.weight.data = torch.rand(module.num_features, generator=generator) + 0.5
            module.bias.data = torch.randn(module.num_features, generator=generator)
    return model.to(DEVICE)


def norms(model: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def image(side: int = 16) -> Tensor:
    return torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0)).to(DEVICE)


def check_same_function(model: nn.Module, copy: nn.Module, given: Tensor) -> None:
    """Compare outputs and input gradients in double precision, where rounding hides nothing."""
    given, found = given.double(), []
    for each in (model, copy):
        each.eval().double()
        inside = given.clone().requires_grad_()
        output = each(inside)
        found.append((output, *torch.autograd.grad(output.square().sum(), inside)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * float(one.detach().abs().max()))


@pytest.mark.parametrize(
    ("make", "left"),
    [
        (SmallResNet, 0),
        (lambda: ResNet18(width=8), 0),
        (lambda: DilatedResNet(width=4), 0),
        (lambda: WideResNet(depth=10, widen=1), 4),
    ],
    ids=["SmallResNet", "ResNet18", "DilatedResNet", "WideResNet"],
)
def test_a_network_is_folded_as_far_as_it_can_be(make: Callable[[], nn.Module], left: int) -> None:
    model = trained(make())
    copy = folded(model, example=image()[:1])
    assert norms(copy) == left < norms(model)
    assert sum(module.training for module in copy.modules()) == 0
    check_same_function(model, copy, image())


@pytest.mark.parametrize("way", [in_turn, thrice], ids=lambda way: way.__name__)
def test_a_norm_is_folded_wherever_code_puts_it_behind_a_convolution(way) -> None:
    model = trained(OwnForward(way))
    copy = folded(model, example=image()[:1])
    assert norms(copy) == 0
    check_same_function(model, copy, image())


@pytest.mark.parametrize(
    "way",
    [
        norm_used_twice,
        convolution_used_twice,
        two_norms_of_one_convolution,
        convolution_with_two_takers_in_turn,
        something_between,
        norm_first,
        past_the_module,
        at_random,
    ],
    ids=lambda way: way.__name__,
)
def test_what_cannot_be_folded_exactly_stays(way) -> None:
    model = trained(OwnForward(way))
    copy = folded(model, example=image()[:1])
    assert norms(copy) == 2
    with torch.random.fork_rng():
        expected, found = [(torch.manual_seed(0), each.eval()(image()))[1] for each in (model, copy)]
    assert torch.equal(expected, found)


def test_a_convolution_whose_result_is_an_output_too_stays_and_the_others_do_not() -> None:
    model = trained(OwnForward(result_returned_too)).eval()
    copy = folded(model, example=image()[:1])
    assert norms(copy) == 1
    for one, other in zip(model(image()), copy(image()), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_a_norm_without_statistics_stays() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)).to(DEVICE)
    assert norms(folded(model, example=image()[:1])) == 1


def test_a_pair_that_stands_in_two_places_is_folded_in_both() -> None:
    pair = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
    model = trained(nn.Sequential(pair, nn.ReLU(), nn.Sequential(*pair)))
    copy = folded(model, example=image()[:1])
    assert norms(copy) == 0
    check_same_function(model, copy, image())


def test_shared_weights_stay_those_of_the_other_convolution() -> None:
    model = OwnForward(lambda net, given: net.second(net.norm(net.first(given))))
    model.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    model.third = nn.Conv2d(3, 4, 3, padding=1)
    model.third.weight = model.first.weight
    model.way = lambda net, given: net.norm(net.first(given)) + net.third(given)
    copy = folded(trained(model), example=image()[:1])
    assert norms(copy) == 1  # the one that is not used
    check_same_function(model, copy, image())


def test_the_model_is_left_as_found() -> None:
    model = trained(SmallResNet(width=4)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    copy = folded(model, example=image()[:1])
    with torch.no_grad():
        for value in [*copy.parameters(), *copy.buffers()]:
            value.fill_(7)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in [*model.modules(), *copy.modules()])
    assert not any(parameter.requires_grad for parameter in copy.parameters())


def test_heads_and_what_normalises_the_image_are_kept() -> None:
    encoder = SmallResNet(width=4)
    model = trained(
        MultiTaskModel(encoder, {"a": nn.Linear(16, 2), "b": nn.Linear(16, 3)}, mean=[0.5] * 3, std=[0.2] * 3)
    )
    copy = folded(model, example=image()[:1])
    assert norms(copy) == 0
    for name, output in model.eval()(image()).items():
        torch.testing.assert_close(copy(image())[name], output, rtol=1e-4, atol=1e-4)
