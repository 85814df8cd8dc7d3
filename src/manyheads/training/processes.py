"""Several processes that train one model: what they must have in common beside the gradients."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.types import Batch

_Told = TypeVar("_Told")


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


def share_weights(model: nn.Module, fabric: Fabric) -> None:
    """Give every process the first one's parameters and running statistics."""
    if fabric.world_size > 1:
        for parameter in model.parameters():
            torch.distributed.broadcast(parameter.data, src=0)
    share_buffers(model, fabric)


def gathered(own: _Told, fabric: Fabric) -> list[_Told]:
    """List what the processes have, in their order; each may have anything that can be pickled."""
    if fabric.world_size == 1:
        return [own]
    everyones: list[_Told] = [own] * fabric.world_size
    torch.distributed.all_gather_object(everyones, own)
    return everyones


def weighed(losses: Mapping[str, Tensor], batch: Batch, fabric: Fabric) -> Mapping[str, Tensor]:
    """Weigh mean losses by this process's share of the joint batch, so that their mean over processes is the joint one.

    The shares differ in the last batch of an epoch, and even there by one example at most. In a batch of several
    loaders each task's share is that of the loader of its name.

    Args:
        losses: each task's mean over this process's examples.
        batch: this process's part of the joint batch.
        fabric: the processes.
    """
    if fabric.world_size == 1:
        return losses
    first = next(iter(batch.values()))
    counts = [float(len(batch.get(f"{name}/image", first))) for name in losses]
    # Numbers that are filled in on the device, unlike those that are copied there, keep nobody waiting.
    sizes = torch.stack([torch.full((), count, device=fabric.device) for count in counts])
    mean = averaged(sizes.clone(), fabric)
    return {name: loss * share for (name, loss), share in zip(losses.items(), sizes / mean, strict=True)}


def averaged(own: Tensor, fabric: Fabric) -> Tensor:
    """Turn a tensor, in place, into the mean of those that the processes have.

    Fabric's own `all_reduce` has all processes wait for each other, and for their devices, before.
    """
    if fabric.world_size > 1:
        torch.distributed.all_reduce(own)
        own /= fabric.world_size
    return own
