"""An aggregator is given what the tasks want of the parameters they share, and nothing else.

That two processes aggregate like one stands in `test_processes.py`.
"""

from collections.abc import Callable

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.models import MultiTaskModel
from manyheads.training import Aggregated, Clean, Combine, Equal
from manyheads.training.aggregated import parameters_of

FABRIC = Fabric(accelerator="cpu", devices=1)


def total(gradients: Tensor) -> Tensor:
    return gradients.sum(0)


def smallest_norm(gradients: Tensor) -> Tensor:
    """Two tasks' combination of smallest norm, in closed form (Désidéri 2012)."""
    first, second = gradients
    share = ((second - first) @ second / (first - second).square().sum()).clamp(0, 1)
    return share * first + (1 - share) * second


def gradients(model: nn.Module, losses: dict[str, Tensor], combine: Combine) -> dict[str, Tensor]:
    model.zero_grad()
    combine.backward(losses, FABRIC)
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def test_the_sum_as_aggregator_is_one_backward_pass_of_the_sum(
    make_model: Callable[[], MultiTaskModel], tasks, batch
) -> None:
    model = make_model().eval()
    found = gradients(model, dict(Clean(tasks)(model, batch)), Aggregated(total))
    expected = gradients(model, dict(Clean(tasks)(model, batch)), Equal())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-4)


def test_only_shared_parameters_are_aggregated(make_model: Callable[[], MultiTaskModel], tasks, batch) -> None:
    model, seen = make_model().eval(), []

    def nothing(jacobian: Tensor) -> Tensor:
        seen.append(jacobian.shape)
        return torch.zeros_like(jacobian[0])

    found = gradients(model, dict(Clean(tasks)(model, batch)), Aggregated(nothing))
    expected = gradients(model, dict(Clean(tasks)(model, batch)), Equal())
    assert seen == [(2, sum(parameter.numel() for parameter in model.encoder.parameters()))]
    for name, value in found.items():
        wanted = expected[name] if name.startswith("heads") else torch.zeros_like(value)
        torch.testing.assert_close(value, wanted)


def test_conflicting_gradients_come_together_as_the_closed_form_says() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 1.0]))
    losses = {"first": 2 * weight[0], "second": weight[1] - weight[0]}
    Aggregated(smallest_norm).backward(losses, FABRIC)
    assert weight.grad is not None
    assert weight.grad.tolist() == pytest.approx([0.2, 0.6])


@pytest.mark.parametrize("name", ["MGDA", "IMTLG", "AlignedMTL", "PCGrad", "Mean"])
def test_torchjds_aggregators_fit(name: str) -> None:
    aggregation = pytest.importorskip("torchjd.aggregation")
    weight, other = nn.Parameter(torch.tensor([1.0, 1.0])), nn.Parameter(torch.ones(()))
    losses = {"first": 2 * weight[0] * other, "second": weight[1] - weight[0]}
    jacobian = torch.tensor([[2.0, 0.0], [-1.0, 1.0]])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Aggregated(getattr(aggregation, name)()).backward(losses, FABRIC)
        torch.manual_seed(0)
        expected = getattr(aggregation, name)()(jacobian)
    torch.testing.assert_close(weight.grad, expected)
    torch.testing.assert_close(other.grad, torch.tensor(2.0))


def test_a_gradient_is_added_to_what_is_there() -> None:
    shared, own = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    shared.grad, own.grad = torch.tensor([7.0]), torch.tensor([5.0])
    Aggregated(total).backward({"first": (shared * own).sum(), "second": 2 * shared.sum()}, FABRIC)
    assert (shared.grad.item(), own.grad.item()) == (10.0, 6.0)


def test_a_loss_that_depends_on_nothing_gets_a_row_of_zeros() -> None:
    weight = nn.Parameter(torch.ones(1))
    losses = {"first": weight.sum(), "constant": torch.tensor(3.0), "last": 2 * weight.sum()}
    Aggregated(lambda jacobian: jacobian[1] + 10 * jacobian[2]).backward(losses, FABRIC)
    assert weight.grad.item() == 20.0


def test_the_parameters_of_a_loss_are_those_that_it_depends_on() -> None:
    first, second, frozen = (nn.Parameter(torch.ones(2)) for _ in range(3))
    frozen.requires_grad_(requires_grad=False)
    assert parameters_of((first * first * frozen).sum()) == (first,)
    assert set(parameters_of((first * second.detach()).sum() + second[0])) == {first, second}
    assert parameters_of(torch.ones(())) == ()


def test_losses_without_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="no loss depends on a parameter"):
        Aggregated(total).backward({"first": torch.ones(())}, FABRIC)


def test_an_aggregator_that_returns_something_else_is_refused() -> None:
    weight = nn.Parameter(torch.ones(3))
    with pytest.raises(ValueError, match=r"one gradient of \(2, 3\), shape \(3,\); got \(2, 3\)"):
        Aggregated(lambda jacobian: jacobian).backward({"first": weight.sum(), "second": weight.prod()}, FABRIC)


def test_scaled_losses_are_refused() -> None:
    scaled = Fabric(accelerator="cpu", devices=1)
    scaled.strategy.precision.scaler = object()
    with pytest.raises(ValueError, match="train in precision 32-true or bf16-mixed"):
        Aggregated(total).backward({"first": nn.Parameter(torch.ones(1)).sum()}, scaled)


def test_gradients_lie_in_memory_as_their_parameters_do() -> None:
    shared, own = (nn.Parameter(torch.rand(2, 3, 2, 2)) for _ in range(2))
    turned = torch.rand(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    losses = {"first": (turned * shared * own).sum(), "second": (turned * shared).sum()}
    Aggregated(total).backward(losses, FABRIC)
    for parameter in (shared, own):
        assert parameter.grad is not None
        assert parameter.grad.stride() == parameter.stride()
    torch.testing.assert_close(own.grad, turned * shared.detach())
