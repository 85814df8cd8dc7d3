"""Weights on disk: safetensors, written whole or not at all, and never unpickled."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn


def save_weights(model: nn.Module, path: Path | str) -> None:
    """Write a model's parameters and buffers to a safetensors file; its folder is made if need be.

    The file appears under its name only once it is complete: whoever is interrupted leaves the old one untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = save({name: tensor.detach().cpu().clone().contiguous() for name, tensor in model.state_dict().items()})
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def load_weights(model: nn.Module, path: Path | str) -> None:
    """Read parameters and buffers from a safetensors file into a model of the same form, on whatever device it is.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no safetensors file, or a tensor is missing, unexpected or of another shape or type; the
            model is then left as it was.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; save_weights(model, path) writes one")
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a whole safetensors file ({error}); only that format is read") from error
    problems = _differences(model.state_dict(), found)
    if problems:
        raise ValueError(f"{path}: these weights are not for this model:\n" + "\n".join(problems))
    with torch.no_grad():
        model.load_state_dict(found)


def _differences(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    missing = [f"  missing in the file: {name} {_form(wanted[name])}" for name in wanted if name not in found]
    extra = [f"  unknown to the model: {name} {_form(found[name])}" for name in found if name not in wanted]
    both = [name for name in wanted if name in found and _form(wanted[name]) != _form(found[name])]
    unlike = [f"  {name}: the model has {_form(wanted[name])}, the file {_form(found[name])}" for name in both]
    return missing + extra + unlike


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
