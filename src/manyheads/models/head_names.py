"""The names that parts of a model can have."""

from torch import nn


def check_head_name(name: str) -> None:
    """Refuse a name under which `torch.nn.ModuleDict` could not keep a module.

    Raises:
        ValueError: if it is no Python name, or one that torch uses itself.
    """
    if not name.isidentifier() or hasattr(nn.ModuleDict(), name):
        raise ValueError(f"no head can be called {name!r}: rename the task to a Python name that torch does not use")
