"""Gradients of several tasks that pull apart, brought together by an aggregator of their Jacobian."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor

from manyheads.training.combine import Combine
from manyheads.training.processes import averaged

Aggregator = Callable[[Float[Tensor, "tasks numbers"]], Float[Tensor, " numbers"]]
"""From the gradients of all tasks, a row each, to one; every aggregator of TorchJD is such a function."""


@dataclass(frozen=True)
class Aggregated(Combine):
    """Let an aggregator make one gradient of the tasks' gradients, for the parameters that several tasks share.

    A parameter that only one task's loss depends on (that of a head, or of a decoder) gets that loss's gradient as it
    is, so that GAP, whose tasks share nothing, trains as with `Equal`. There is one backward pass per task.

    With several processes the gradients of each task are averaged over them before the aggregator sees them, and the
    first one's answer counts for all. An aggregator must not remember earlier batches: checkpoints do not hold it.

    Args:
        aggregator: the rule, for instance `torchjd.aggregation.UPGrad()`; rows are in the order of the step's losses.

    Reference: Quinton & Rey, 2024 (Jacobian descent). Differs from it in: which parameters are shared is read off the
    graph of the losses.

    >>> Aggregated(lambda gradients: gradients.mean(0)).aggregator(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    tensor([2., 4.])
    """

    aggregator: Aggregator

    def backward(self, losses: Mapping[str, Tensor], fabric: Fabric) -> None:
        """Run one backward pass per task, then one aggregation.

        Raises:
            ValueError: if the precision scales losses, no loss depends on a parameter, or the aggregator returns
                something else than one gradient.
        """
        if getattr(fabric.strategy.precision, "scaler", None) is not None:
            raise ValueError("gradients are aggregated unscaled; train in precision 32-true or bf16-mixed")
        reached = [parameters_of(loss) for loss in losses.values()]
        owners = Counter(parameter for found in reached for parameter in found)
        if not owners:
            raise ValueError("no loss depends on a parameter; does the model require gradients?")
        rows = []
        for place, (loss, found) in enumerate(zip(losses.values(), reached, strict=True)):
            gradients = torch.autograd.grad(loss, found, retain_graph=place + 1 < len(losses)) if found else ()
            rows.append(dict(zip(found, gradients, strict=True)))
        for parameter, gradient in [each for row in rows for each in row.items() if owners[each[0]] == 1]:
            _accumulate(averaged(gradient, fabric), parameter)
        shared = [parameter for parameter, count in owners.items() if count > 1]
        if shared:
            self._share(rows, shared, fabric)

    def _share(self, rows: list[dict[Tensor, Tensor]], shared: list[Tensor], fabric: Fabric) -> None:
        """Aggregate what the tasks want of the parameters that they share."""
        zeros = {parameter: torch.zeros_like(parameter) for parameter in shared}
        jacobian = torch.stack([torch.cat([(zeros | row)[each].flatten() for each in shared]) for row in rows])
        found = self.aggregator(averaged(jacobian, fabric))
        if found.shape != jacobian.shape[1:]:
            raise ValueError(
                f"an aggregator makes one gradient of {tuple(jacobian.shape)}, shape {tuple(jacobian.shape[1:])}; "
                f"got {tuple(found.shape)}"
            )
        if fabric.world_size > 1:
            torch.distributed.broadcast(found, src=0)
        for parameter, gradient in zip(shared, found.split([each.numel() for each in shared]), strict=True):
            _accumulate(gradient.view_as(parameter), parameter)


def parameters_of(loss: Tensor) -> tuple[Tensor, ...]:
    """Find the leaves of a loss's graph that require gradients, in the order in which the graph is walked."""
    found: dict[Tensor, None] = {}
    waiting, seen = [loss.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            found[variable] = None
        waiting += [following for following, _ in node.next_functions]
    return tuple(found)


def _accumulate(gradient: Tensor, parameter: Tensor) -> None:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)  # laid out like the parameter, as fused optimisers take it to be
    parameter.grad += gradient
