"""Faster copies of a model for searches; what counts is measured on the model itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from manyheads.models.folding import folded
from manyheads.types import Image

_PRECISIONS = (torch.float32, torch.bfloat16)
_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
_UNITS = ("avx512_bf16", "amx_bf16")
"""What processors call their units for bfloat16."""


Compiler = Callable[[nn.Module], Callable[..., Any]]
"""Takes a model, and returns what is called in its place."""


def bfloat16_pays(device: torch.device) -> bool:
    """Tell whether a device multiplies in bfloat16 faster than in float32: elsewhere it is many times slower.

    Of a processor this is known from torch 2.9 on; where it is not known the answer is no.

    >>> bfloat16_pays(torch.device("meta"))
    False
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and any(capabilities.get(unit, False) for unit in _UNITS)


def uncompiled(model: nn.Module) -> nn.Module:
    """Return the model as it is."""
    return model


@dataclass(frozen=True)
class Acceleration:
    """How a model is made faster.

    Args:
        precision: in what the layers multiply, `torch.bfloat16` or `torch.float32`, which leaves the model in the
            precision that it has; None for bfloat16 where it pays.
        compiler: makes the copy faster still, for example `torch.compile`, which takes the better part of a minute and
            starts again for other shapes.

    Raises:
        ValueError: if the precision is another one.

    >>> Acceleration(precision=torch.bfloat16).precision
    torch.bfloat16
    """

    precision: torch.dtype | None = None
    compiler: Compiler = field(default=uncompiled, repr=False)

    def __post_init__(self) -> None:
        """Refuse precisions in which gradients vanish, or nothing is gained."""
        if self.precision not in (None, *_PRECISIONS):
            raise ValueError(f"an attack searches in torch.bfloat16 or torch.float32, got {self.precision}")

    def on(self, device: torch.device) -> torch.dtype:
        """Return the precision on a device."""
        return self.precision or (torch.bfloat16 if bfloat16_pays(device) else torch.float32)


def accelerated(model: nn.Module, how: Acceleration, *, example: Image) -> nn.Module:
    """Return a faster copy of a model: batch norms folded, channels last, lower precision where that pays.

    The copy is in eval mode, shares no memory with the model and returns outputs in the precision of the images. It is
    kept for as long as the model lives and made again when a weight, a buffer, a plain attribute or a hook has changed,
    which is seen by comparing values: changes of `parameter.data` and fused optimisers leave no other trace.

    Args:
        model: any module that maps images to a dict of outputs.
        how: what is done.
        example: images to run it on, one is enough; they decide the device.

    Raises:
        ValueError: if the model cannot be copied.
    """
    exactly = torch.autocast(device_type=example.device.type, enabled=False)
    with torch.inference_mode(mode=False), torch.no_grad(), exactly:
        setting = (how, example.device)
        tensors, settings = dict(_tensors_of(model)), _settings_of(model)
        kept = _KEPT.get(model)
        if kept is None or not kept.holds(setting=setting, tensors=tensors, settings=settings):
            snapshot = {name: tensor.clone() for name, tensor in tensors.items()}
            copy = _Accelerated(folded(model, example=example), how, example.device)
            kept = _KEPT[model] = _Kept(setting, snapshot, settings, copy)
        return kept.copy


class _Accelerated(nn.Module):
    """A model behind what an acceleration does to images and outputs."""

    def __init__(self, model: nn.Module, how: Acceleration, device: torch.device) -> None:
        super().__init__()
        self.precision = how.on(device)
        # On a GPU channels come last for its matrix units, which multiply in half precision.
        last = device.type == "cpu" or self.precision == torch.bfloat16
        self.memory_format = torch.channels_last if last else torch.contiguous_format
        if self.precision == torch.bfloat16:
            model = model.float()
            for module in model.modules():
                if type(module) in _WEIGHTED:  # autocast would convert their weights at every step
                    module.to(self.precision)
        convert_conv2d_weight_memory_format(model, self.memory_format)
        self.model = how.compiler(model)
        self.training = False

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        lower = self.precision == torch.bfloat16
        given = (image.float() if lower else image).contiguous(memory_format=self.memory_format)
        with torch.autocast(device_type=image.device.type, dtype=torch.bfloat16, enabled=lower):
            outputs: Mapping[str, Tensor] = self.model(given)
        return {name: value.to(image.dtype) for name, value in outputs.items()}


@dataclass(frozen=True, eq=False)
class _Kept:
    """A copy, and what it was made of."""

    setting: tuple[Acceleration, torch.device]
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, object]
    copy: _Accelerated

    def holds(
        self,
        *,
        setting: tuple[Acceleration, torch.device],
        tensors: Mapping[str, Tensor],
        settings: Mapping[str, object],
    ) -> bool:
        """Tell whether the copy is still the model's."""
        if (setting, settings, tensors.keys()) != (self.setting, self.settings, self.tensors.keys()):
            return False
        pairs = [(tensor, self.tensors[name]) for name, tensor in tensors.items()]
        if any((now.dtype, now.device) != (then.dtype, then.device) for now, then in pairs):
            return False
        return all(torch.equal(now, then) for now, then in pairs)


_KEPT: WeakKeyDictionary[nn.Module, _Kept] = WeakKeyDictionary()
"""The last copy of each model that is still alive."""


def _tensors_of(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _settings_of(model: nn.Module) -> dict[str, object]:
    """Collect classes, plain attributes and hooks of all modules; whether they train does not matter."""
    found: dict[str, object] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        found[name] = type(module)
        for key, value in vars(module).items():
            if key != "training" and isinstance(value, bool | int | float | str | None):
                found[f"{name}.{key}"] = value
            elif key.endswith("_hooks") and isinstance(value, Mapping):
                found[f"{name}.{key}"] = tuple(value)  # torch numbers them
    return found
