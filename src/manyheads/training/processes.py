"""Several processes that train one model: what they must have in common beside the gradients."""

from collections.abc import Sequence

import torch
from lightning_fabric import Fabric
from torch import nn


def check_counts(batches: int, fabric: Fabric) -> None:
    """Refuse parts of unequal length: the process with more batches would wait for the others forever.

    Raises:
        ValueError: saying how many batches each process has.
    """
    if fabric.world_size == 1:
        return
    counts = torch.as_tensor(fabric.all_gather(torch.tensor(batches, device=fabric.device))).tolist()
    if len(set(counts)) > 1:
        raise ValueError(
            f"every process needs the same number of batches in an epoch, got {counts}; "
            "leave examples out, or choose a batch size that evens them out"
        )


def added_up(sums: Sequence[float], fabric: Fabric) -> list[float]:
    """Add up the sums of all processes, place by place."""
    if fabric.world_size == 1:
        return list(sums)
    joint = fabric.all_reduce(torch.tensor(sums, dtype=torch.float64, device=fabric.device), reduce_op="sum")
    return torch.as_tensor(joint).tolist()


def share_buffers(model: nn.Module, fabric: Fabric) -> None:
    """Give every process the first one's running statistics; each has gathered its own from its last batch."""
    if fabric.world_size > 1:
        for buffer in model.buffers():
            torch.distributed.broadcast(buffer, src=0)
