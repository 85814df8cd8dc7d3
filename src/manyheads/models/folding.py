"""Batch norms folded into the convolutions before them: in eval mode they are one linear map."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode

from manyheads.models.duplicate import duplicate
from manyheads.types import Image

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def folded(model: nn.Module, *, example: Image) -> nn.Module:
    """Return a copy in eval mode in which batch norms are folded into the convolutions before them.

    Which batch norm follows which convolution is seen by running the copy on an example, not read off the code: a norm
    is folded where it takes nothing but what one convolution returns, and nobody else looks at that. All others stay.
    If the outputs on the example then differ by more than rounding (somebody reaches around the modules, or draws
    random numbers), nothing is folded. The copy shares no memory with the model, and its parameters want no gradients.

    Args:
        model: any module that maps images to a dict of outputs.
        example: images to run it on, one is enough.

    Raises:
        ValueError: if the model cannot be copied.

    >>> block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    >>> folded(block, example=torch.zeros(1, 3, 5, 5))
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
      (1): Identity()
      (2): ReLU()
    )
    """
    copy = duplicate(model)
    with torch.no_grad():
        before, pairs = _watched(copy, example)
        if not pairs:
            return copy
        fused: dict[nn.Module, nn.Module] = {}
        for convolution, norm in pairs:
            fused |= {convolution: fuse_conv_bn_eval(convolution, norm), norm: nn.Identity().eval()}
        for name, module in list(copy.named_modules(remove_duplicate=False)):
            if module in fused:
                copy.set_submodule(name, fused[module])
        same = _are_close(list(_tensors(copy(example))), before)
    return copy.requires_grad_(requires_grad=False) if same else duplicate(model)


def _watched(model: nn.Module, example: Image) -> tuple[Sequence[Tensor], Sequence[tuple[Any, Any]]]:
    """Run the model and return its outputs, and each convolution with the batch norm that alone follows it."""
    witness = _Witness()
    with ExitStack() as stack:
        for module in model.modules():
            if type(module) in _CONVOLUTIONS:
                stack.callback(module.register_forward_hook(witness.convolved).remove)
            elif type(module) in _NORMS and getattr(module, "running_mean", None) is not None:
                stack.callback(module.register_forward_pre_hook(witness.normed).remove)
        with witness:
            outputs = list(_tensors(model(example)))
    witness.count(outputs)
    return outputs, witness.pairs()


class _Witness(TorchFunctionMode):
    """Sees what convolutions return, and who takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[Tensor, nn.Module]] = {}  # holds the tensors, so that no other gets their id
        self.uses: Counter[int] = Counter()
        self.takers: dict[int, nn.Module] = {}
        self.givers: defaultdict[nn.Module, set[nn.Module | None]] = defaultdict(set)

    def convolved(self, module: nn.Module, _: object, result: Tensor) -> None:
        self.made[id(result)] = (result, module)

    def normed(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        taken = id(inputs[0])
        self.takers[taken] = module
        self.givers[module].add(self.made[taken][1] if taken in self.made else None)

    def count(self, tensors: Iterable[Tensor]) -> None:
        self.uses.update(id(tensor) for tensor in tensors if id(tensor) in self.made)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 (torch's form)
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 (whatever the function returns)
        result = func(*args, **(kwargs or {}))
        if any(True for _ in _tensors(result)):  # to ask for a shape is no use
            self.count(_tensors([args, kwargs]))
        return result

    def pairs(self) -> Sequence[tuple[nn.Module, nn.Module]]:
        """Return each convolution whose every result goes to one batch norm alone, which takes nothing else."""
        takers: defaultdict[nn.Module, set[nn.Module | None]] = defaultdict(set)
        for key, (_, convolution) in self.made.items():
            takers[convolution].add(self.takers.get(key) if self.uses[key] == 1 else None)
        alone = {convolution: found.pop() for convolution, found in takers.items() if len(found) == 1}
        return [
            (convolution, norm)
            for convolution, norm in alone.items()
            if norm is not None and self.givers[norm] == {convolution}
        ]


def _tensors(value: object) -> Iterator[Tensor]:
    """Find the tensors in nested lists, tuples and mappings."""
    match value:
        case Tensor():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _tensors(inner)
        case list() | tuple():
            for inner in value:
                yield from _tensors(inner)


def _are_close(these: Sequence[Tensor], those: Sequence[Tensor]) -> bool:
    """Tell whether outputs are the same but for rounding, on the scale of the largest."""
    if len(these) != len(those):
        return False
    allowed = [torch.finfo(one.dtype).eps ** 0.5 * one.abs().max() for one in those]
    return all(
        bool(((one - other).abs() <= bound).all()) for one, other, bound in zip(these, those, allowed, strict=True)
    )
