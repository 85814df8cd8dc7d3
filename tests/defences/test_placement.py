"""Batches go where the model is."""

import torch
from torch import nn

from manyheads.defences import beside


def test_a_batch_is_moved_to_the_models_weights() -> None:
    batch = {"image": torch.zeros(2, 1, 2, 2), "label": torch.zeros(2, dtype=torch.int64)}
    moved = beside(nn.Linear(2, 2, device="meta"), batch)
    assert {name: value.device.type for name, value in moved.items()} == {"image": "meta", "label": "meta"}
    assert batch["image"].device.type == "cpu"


def test_buffers_say_where_a_model_without_weights_is() -> None:
    norm = nn.BatchNorm2d(1, affine=False, device="meta")
    assert beside(norm, {"image": torch.zeros(1, 1, 2, 2)})["image"].is_meta


def test_a_model_without_any_tensor_takes_a_batch_where_it_is() -> None:
    batch = {"image": torch.zeros(1, 1, 2, 2, device="meta")}
    assert beside(nn.Identity(), batch)["image"] is batch["image"]
