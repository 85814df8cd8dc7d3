"""A copy of a model, to be looked at and changed while the model stays as it is."""

from copy import deepcopy

from torch import nn


def duplicate(model: nn.Module) -> nn.Module:
    """Return a copy in eval mode that shares no memory with the model and whose parameters want no gradients.

    Raises:
        ValueError: if the model cannot be copied.
    """
    try:
        copy = deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"a fast attack works on a copy of the model, and this {type(model).__name__} cannot be copied ({error}); "
            "attack it without Fast"
        ) from error
    for module in copy.modules():  # not by eval(), which a model may have overridden: attacks switch like this too
        module.training = False
    return copy.requires_grad_(requires_grad=False)
