import threading

import pytest
import torch
from torch import nn

from manyheads.models.duplicate import duplicate


class AlwaysOn(nn.Dropout):
    """Overrides what `eval()` calls."""

    def train(self, mode: bool = True) -> "AlwaysOn":  # noqa: ARG002, FBT001, FBT002 (torch's form)
        return super().train(mode=True)


def test_a_copy_is_in_eval_mode_and_wants_no_gradients() -> None:
    model = nn.Sequential(nn.Linear(2, 2), AlwaysOn())
    copy = duplicate(model)
    assert not any(module.training for module in copy.modules())
    assert not any(parameter.requires_grad for parameter in copy.parameters())
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_copy_shares_no_memory() -> None:
    model = nn.BatchNorm2d(2)
    copy = duplicate(model)
    with torch.no_grad():
        for value in [*copy.parameters(), *copy.buffers()]:
            value.fill_(5)
    assert float(model.weight.detach().sum()) == 2
    assert float(model.running_mean.sum()) == 0


def test_what_cannot_be_copied_is_refused() -> None:
    model = nn.Linear(2, 2)
    model.lock = threading.Lock()
    with pytest.raises(ValueError, match=r"this Linear cannot be copied \(.*\); attack it without Fast"):
        duplicate(model)
