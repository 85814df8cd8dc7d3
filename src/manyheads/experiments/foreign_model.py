"""A model that somebody else wrote, in a Python file of their own."""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from manyheads.experiments.foreign_code import Blame, is_own, run_file
from manyheads.models import seeded
from manyheads.tasks import suggest

_FORM = "your own model is given as FILE.py:NAME"


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """A module from somebody's own file.

    Args:
        module: the module.
        path: the file.
        name: what it is called there.
        digests: of its code (that file, and those beside and below it which it imported) and of its weights: what
            tells whether it is still the same.
    """

    module: nn.Module
    path: Path
    name: str
    digests: dict[str, str]


class Guarded(nn.Module):
    """Somebody's own module, whose errors are told by file and line.

    Args:
        model: what was loaded.
    """

    def __init__(self, model: ForeignModel) -> None:
        super().__init__()
        self.module = model.module
        self.path, self.name = model.path, model.name
        self.training = model.module.training

    def forward(self, image: Tensor) -> object:
        """Call the module.

        Raises:
            ForeignCodeError: if it fails.
        """
        with Blame(self.path, f"{self.name} was given images of shape {tuple(image.shape)}"):
            return self.module(image)


def load_foreign(address: str, *, seed: int = 0) -> ForeignModel:
    """Load a model from a Python file.

    The file is run, and may import what lies beside it. Initial weights that are drawn there depend on the seed alone.

    Args:
        address: `FILE.py:NAME`; the name of an `nn.Module`, or of a function (or class) that makes one out of nothing.
        seed: decides what is drawn at random while the model is made.

    Raises:
        ValueError: if there is no such file or name, or it is no model.
        ForeignCodeError: if the code fails.
    """
    place, _, name = address.rpartition(":")
    path = Path(place)
    if not place or not name or path.suffix != ".py":
        raise ValueError(f"{address!r} names no model; {_FORM}, for example my_file.py:my_model")
    if not path.is_file():
        raise ValueError(f"there is no file {place}; {_FORM}")

    def build() -> nn.Module:
        return _made(run_file(path), path=path, name=name)

    module = seeded(build, seed=seed)
    return ForeignModel(module, path, name, {"code": _code_digest(path), "weights": _weights_digest(module)})


def _made(file: ModuleType, *, path: Path, name: str) -> nn.Module:
    """Take the model out of the file, or have it made."""
    found = vars(file)
    if name not in found:
        known = [key for key, value in found.items() if callable(value) and key[0] != "_"]
        hint = suggest(name, known=known) if known else "it defines no function, class or module"
        raise ValueError(f"{path} has no {name!r}; {hint}")
    match found[name]:
        case nn.Module() as module:
            return module
        case made if callable(made):
            return _called(made, path=path, name=name)
    raise ValueError(
        f"{path}:{name} is of type {type(found[name]).__name__}; it has to be an nn.Module, or a function without "
        "arguments that returns one"
    )


def _called(make: Callable[..., object], *, path: Path, name: str) -> nn.Module:
    with Blame(path, f"while {name} was looked at"):
        asked = signature(make).parameters.values()
    kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    needed = [one.name for one in asked if one.default is Parameter.empty and one.kind not in kinds]
    if needed:
        raise ValueError(
            f"{path}:{name} wants arguments ({', '.join(needed)}); write a function without any that calls it"
        )
    with Blame(path, f"while {name}() was called"):
        made = make()
    match made:
        case nn.Module():
            return made
    raise ValueError(f"{path}:{name} returned {type(made).__name__}; it has to return an nn.Module")


def _code_digest(path: Path) -> str:
    """Digest the file and what it imported from beside and below it."""
    folder = path.resolve().parent
    names = [str(getattr(module, "__file__", None)) for module in list(sys.modules.values())]
    files = [Path(name) for name in names if name.startswith(str(folder))]  # thousands of others are passed over
    own = sorted({path.resolve(), *(file for file in files if is_own(file, folder=folder) and file.is_file())})
    digest = hashlib.sha256()
    for file in own:
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _weights_digest(module: nn.Module) -> str:
    """Digest the layers, and the parameters and buffers with their names."""
    digest = hashlib.sha256(repr(module).encode())
    for name, value in module.state_dict().items():
        digest.update(f"\0{name}\0".encode())
        if isinstance(value, Tensor):
            plain = value.detach().cpu().contiguous()
            digest.update(f"{plain.dtype}{tuple(plain.shape)}".encode())
            digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
