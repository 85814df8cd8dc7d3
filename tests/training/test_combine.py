"""Several losses become one gradient: the sum of theirs, each with its weight."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.training import Combine, Equal, Fixed

LOSSES = {"first": 1.0, "second": 10.0, "third": 100.0}


@pytest.fixture
def weight() -> nn.Parameter:
    return nn.Parameter(torch.tensor([2.0]))


def losses_of(weight: Tensor, *, names: tuple[str, ...] = tuple(LOSSES)) -> dict[str, Tensor]:
    """Losses whose gradients are 1, 10 and 100."""
    return {name: (LOSSES[name] * weight).sum() for name in names}


@pytest.mark.parametrize(
    ("combine", "gradient"),
    [
        (Equal(), 111.0),
        (Fixed({"first": 1.0, "second": 1.0, "third": 1.0}), 111.0),
        (Fixed({"third": 0.5, "first": 3.0, "second": -2.0}), 33.0),
        (Fixed({"first": 0.0, "second": 0.0, "third": 1.0}), 100.0),
    ],
)
def test_the_gradient_is_the_weighted_sum_of_the_tasks_gradients(
    weight: nn.Parameter, combine: Combine, gradient: float
) -> None:
    combine.backward(losses_of(weight), Fabric(accelerator="cpu", devices=1))
    assert weight.grad.item() == pytest.approx(gradient)


def test_a_gradient_is_added_to_what_is_there(weight: nn.Parameter) -> None:
    weight.grad = torch.tensor([7.0])
    Equal().backward(losses_of(weight, names=("first",)), Fabric(accelerator="cpu", devices=1))
    assert weight.grad.item() == 8.0


@pytest.mark.parametrize("names", [("first",), ("first", "second", "third")])
def test_weights_for_other_tasks_than_the_losses_are_refused(weight: nn.Parameter, names: tuple[str, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"weights are for \['first', 'second'\] but the losses are \['first'.*give one"
    ):
        Fixed({"second": 1.0, "first": 1.0}).backward(
            losses_of(weight, names=names), Fabric(accelerator="cpu", devices=1)
        )
