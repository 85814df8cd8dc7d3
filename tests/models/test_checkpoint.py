"""Weights come back bit by bit; a file that does not fit is explained, and leaves the model alone."""

import os

import pytest
import torch
from torch import nn

from manyheads.models import MultiTaskModel, SmallResNet, linear_heads, load_weights, save_weights, seeded
from manyheads.tasks import classify


def model(seed: int, *, width: int = 4, classes: int = 10, **normalisation) -> MultiTaskModel:
    """A small model with batch-norm, after one batch in train mode."""
    tasks = [classify("digit", classes=classes)]
    heads_on = width * 4
    built = seeded(
        lambda: MultiTaskModel(SmallResNet(width=width), linear_heads(tasks, features=heads_on), **normalisation),
        seed=seed,
    )
    built(torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(seed)))
    return built


def same(first: nn.Module, second: nn.Module) -> bool:
    """Whether all parameters and buffers are equal."""
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(name == other and torch.equal(value, twin) for (name, value), (other, twin) in pairs)


def test_weights_come_back_bit_by_bit(tmp_path) -> None:
    written, read = model(0), model(1)
    assert not same(written, read)
    save_weights(written, tmp_path / "new" / "weights.safetensors")
    load_weights(read, str(tmp_path / "new" / "weights.safetensors"))
    assert same(written, read)
    assert all(parameter.requires_grad for parameter in read.parameters())


def test_parts_that_two_heads_share_come_back(tmp_path) -> None:
    tail, other = nn.Linear(4, 3), nn.Linear(4, 3)
    save_weights(MultiTaskModel(nn.Flatten(), {"first": tail, "second": tail}), tmp_path / "w")
    load_weights(MultiTaskModel(nn.Flatten(), {"first": other, "second": other}), tmp_path / "w")
    assert same(tail, other)


def test_an_interrupted_save_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch) -> None:
    save_weights(model(0), tmp_path / "w")
    before = (tmp_path / "w").read_bytes()

    def full_disk(_handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_weights(model(1), tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_saving_again_replaces_the_file(tmp_path) -> None:
    save_weights(model(0), tmp_path / "w")
    save_weights(model(1), tmp_path / "w")
    read = model(2)
    load_weights(read, tmp_path / "w")
    assert same(read, model(1))


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"classes": 2}, r"heads.digit.weight: the model has float32 \(10, 16\), the file float32 \(2, 16\)"),
        (
            {"width": 2},
            r"encoder.layers.0.weight: the model has float32 \(4, 3, 3, 3\), the file float32 \(2, 3, 3, 3\)",
        ),
        ({"mean": [0.5] * 3, "std": [0.5] * 3}, r"unknown to the model: normalise.mean float32 \(3, 1, 1\)"),
    ],
)
def test_weights_of_another_form_are_explained(tmp_path, other, complaint: str) -> None:
    save_weights(model(0, **other), tmp_path / "w")
    wanted, untouched = model(1), model(1)
    with pytest.raises(ValueError, match=rf"(?s)w: these weights are not for this model:.*{complaint}"):
        load_weights(wanted, tmp_path / "w")
    assert same(wanted, untouched)


def test_every_difference_is_listed(tmp_path) -> None:
    save_weights(nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)}), tmp_path / "w")
    with pytest.raises(ValueError, match="weights") as caught:
        load_weights(nn.ModuleDict({"b": nn.Linear(2, 3), "c": nn.Linear(2, 2)}), tmp_path / "w")
    assert str(caught.value).split("\n")[1:] == [
        "  missing in the file: c.weight float32 (2, 2)",
        "  missing in the file: c.bias float32 (2,)",
        "  unknown to the model: a.bias float32 (2,)",
        "  unknown to the model: a.weight float32 (2, 2)",
        "  b.weight: the model has float32 (3, 2), the file float32 (2, 2)",
        "  b.bias: the model has float32 (3,), the file float32 (2,)",
    ]


def test_weights_of_another_type_are_not_rounded_silently(tmp_path) -> None:
    save_weights(nn.Linear(2, 2).half(), tmp_path / "w")
    with pytest.raises(ValueError, match=r"bias: the model has float32 \(2,\), the file float16 \(2,\)"):
        load_weights(nn.Linear(2, 2), tmp_path / "w")


def test_a_pickle_is_not_run(tmp_path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w")
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load_weights(nn.Linear(2, 2), tmp_path / "w")


@pytest.mark.parametrize("kept", [0, 4, 60, -1])
def test_a_truncated_file_is_refused(tmp_path, kept: int) -> None:
    save_weights(nn.Linear(2, 2), tmp_path / "w")
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:kept])
    with pytest.raises(ValueError, match="w: not a whole safetensors file"):
        load_weights(nn.Linear(2, 2), tmp_path / "w")


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"w: no such file; save_weights\(model, path\) writes one"):
        load_weights(nn.Linear(2, 2), tmp_path / "w")
