"""Input gradients, and the watch over numbers that are not finite."""

import pytest
import torch

from manyheads.attacks.derivative import Watch, differentiate, gradients


def test_value_and_gradient_belong_to_each_example() -> None:
    image = torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)
    value, gradient = differentiate(lambda image: image.flatten(1).square().sum(1), image)
    assert value.tolist() == [1.0, 4.0, 9.0]
    assert gradient.flatten().tolist() == [2.0, 4.0, 6.0]
    assert not value.requires_grad
    assert not image.requires_grad


def test_parameters_get_no_gradient() -> None:
    weight = torch.ones(1, requires_grad=True)
    differentiate(lambda image: weight * image.flatten(1).sum(1), torch.rand(2, 1, 2, 2))
    assert weight.grad is None


def test_several_functions_of_the_same_images_share_a_pass() -> None:
    image, passes = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1), []

    def powers(image: torch.Tensor) -> list[torch.Tensor]:
        passes.append(1)
        shared = image.flatten(1).sum(1).exp().log()
        return [shared, shared.square(), 3 * shared]

    found = [(value.tolist(), gradient.flatten().tolist()) for value, gradient in gradients(powers, image)]
    assert passes == [1]
    assert [pytest.approx(value) for value, _ in found] == [[1.0, 2.0], [1.0, 4.0], [3.0, 6.0]]
    assert [pytest.approx(slope) for _, slope in found] == [[1.0, 1.0], [2.0, 4.0], [3.0, 3.0]]


def test_a_loss_without_a_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="no gradient with respect to the image"):
        differentiate(lambda image: image.flatten(1).argmax(1).float(), torch.rand(2, 1, 2, 2))


def test_a_loss_of_parameters_alone_is_refused() -> None:
    weight = torch.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="no gradient with respect to the image"):
        differentiate(lambda image: weight * image.detach().flatten(1).sum(1), torch.rand(2, 1, 2, 2))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_remembered(value: float) -> None:
    watch = Watch()
    watch.see(torch.ones(3), torch.tensor([0.0, value]))
    watch.see(torch.ones(3))
    with pytest.raises(ValueError, match="NaN or infinite during the attack"):
        watch.verdict()


def test_large_and_small_numbers_pass() -> None:
    watch = Watch()
    watch.see(torch.tensor([1e30, -1e-40, 0.0]), torch.zeros(0))
    watch.verdict()
