"""Placement: batches go where the model is."""

from itertools import chain

from torch import Tensor, nn

from manyheads.types import Batch


def beside(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Move a batch to the device of a model's weights; a model without any takes it where it is."""
    place = next((tensor.device for tensor in chain(model.parameters(), model.buffers())), None)
    return {name: value if place is None else value.to(place) for name, value in batch.items()}
