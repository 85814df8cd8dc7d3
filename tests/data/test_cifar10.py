"""CIFAR-10 is read from either version, from the batches that are there, and never from a damaged one."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from manyheads.data import DataError, cifar10

LABELS = np.arange(10_000) % 10


def pixels_of(number: int) -> np.ndarray:
    """Pixels by which a batch, an image and a channel are told apart."""
    pixels = np.zeros((10_000, 3, 32, 32), np.uint8)
    pixels[:, 0], pixels[:, 1], pixels[:, 2, :, 0] = number, (np.arange(10_000) % 251)[:, None, None], 255
    return pixels.reshape(10_000, 3072)


def write_binary(folder: Path, *, name: str, number: int) -> None:
    folder.mkdir(exist_ok=True)
    labels = LABELS[:, None].astype(np.uint8)
    np.concatenate([labels, pixels_of(number)], axis=1).tofile(folder / f"{name}.bin")


def write_python(folder: Path, *, name: str, batch: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(batch, protocol=2))


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("binary")
    write_binary(root / "cifar-10-batches-bin", name="data_batch_1", number=1)
    write_binary(root / "cifar-10-batches-bin", name="data_batch_4", number=4)
    write_binary(root / "cifar-10-batches-bin", name="test_batch", number=9)
    return root


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("python")
    for keys, name, number in ((bytes, "data_batch_1", 1), (str, "data_batch_4", 4), (str, "test_batch", 9)):
        key = {"labels": "labels", "data": "data"} if keys is str else {"labels": b"labels", "data": b"data"}
        batch = {key["labels"]: LABELS.tolist(), key["data"]: pixels_of(number)}
        write_python(root / "cifar-10-batches-py", name=name, batch=batch)
    return root


@pytest.mark.parametrize("version", ["binary", "python"])
def test_the_batches_that_are_there_are_read_in_order(version: str, request: pytest.FixtureRequest) -> None:
    source = cifar10(request.getfixturevalue(version), split="train")
    batch = source.fetch(torch.tensor([0, 9_999, 10_007]))
    assert len(source) == 20_000
    assert source.image_shape == (3, 32, 32)
    assert batch["label"].tolist() == [0, 9, 7]
    assert batch["image"][:, 0, 5, 5].tolist() == [1, 1, 4]
    assert batch["image"][:, 1, 5, 5].tolist() == [0, 9_999 % 251, 7]
    assert batch["image"][0, 2, 31].tolist() == [255] + [0] * 31


@pytest.mark.parametrize("version", ["binary", "python"])
def test_the_folder_itself_is_found_too(version: str, request: pytest.FixtureRequest) -> None:
    (folder,) = request.getfixturevalue(version).iterdir()
    source = cifar10(folder, split="test")
    assert len(source) == 10_000
    assert source.fetch(torch.tensor([3]))["image"][0, 0, 0, 0] == 9
    assert source.class_names[6] == "frog"


def test_the_binary_version_is_preferred(binary: Path, tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-bin").symlink_to(binary / "cifar-10-batches-bin")
    write_python(tmp_path / "cifar-10-batches-py", name="test_batch", batch="no batch at all")
    assert len(cifar10(tmp_path, split="test")) == 10_000


@pytest.mark.parametrize(("folder", "found"), [("", "no batch of this split"), ("nowhere", "no such folder")])
def test_no_batch_is_an_error(tmp_path: Path, folder: str, found: str) -> None:
    with pytest.raises(DataError, match=rf"expected data_batch_1.bin .*found {found}; get it from www.cs.toronto.edu"):
        cifar10(tmp_path / folder, split="train")


@pytest.mark.parametrize("bytes_kept", [0, 3073 * 9_999, 3073 * 10_000 - 1])
def test_a_truncated_binary_batch_is_an_error(binary: Path, tmp_path: Path, bytes_kept: int) -> None:
    whole = (binary / "cifar-10-batches-bin" / "test_batch.bin").read_bytes()
    (tmp_path / "test_batch.bin").write_bytes(whole[:bytes_kept])
    with pytest.raises(DataError, match=f"test_batch.bin: expected 30730000 bytes.*found {bytes_kept};"):
        cifar10(tmp_path, split="test")


def test_a_label_that_is_no_class_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_batch.bin").write_bytes(bytes([10]) + bytes(3073 * 10_000 - 1))
    with pytest.raises(DataError, match="labels 0 to 9, found 0 to 10"):
        cifar10(tmp_path, split="test")


SMALL = np.zeros((3, 3072), np.uint8)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([1, 2], "a dict with the list `labels`, found no dict"),
        ({"data": SMALL}, r"list `labels`, found the entries data \(ndarray\)"),
        ({"labels": [0, "1", 2], "data": SMALL}, r"found the entries data \(ndarray\), labels \(list\)"),
        ({"labels": [0, 1, 2], "data": SMALL}, r"10000 labels, and .*found 3 labels and shape \(3, 3072\)"),
        ({"labels": [0] * 10_000, "data": SMALL}, r"found 10000 labels and shape \(3, 3072\)"),
        ({"labels": [0] * 10_000, "data": None}, r"found 10000 labels and the entries data \(NoneType\)"),
    ],
)
def test_a_python_batch_of_another_form_is_an_error(tmp_path: Path, batch: object, message: str) -> None:
    write_python(tmp_path, name="test_batch", batch=batch)
    with pytest.raises(DataError, match=message):
        cifar10(tmp_path, split="test")


class Evil:
    """Prints when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return print, ("unpickled",)


def test_a_python_batch_that_would_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_python(tmp_path, name="test_batch", batch={b"labels": Evil(), b"data": SMALL})
    with pytest.raises(DataError, match=r"test_batch: the pickle asks for \w+\.print.*malicious"):
        cifar10(tmp_path, split="test")
    assert capsys.readouterr().out == ""


@pytest.mark.real_data
def test_both_versions_of_the_real_images_are_the_same(real_data: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, real_data / "unpack.py", tmp_path], check=True)
    for split, count in (("train", 20_000), ("test", 10_000)):
        binary = cifar10(tmp_path / "cifar-10-batches-bin", split=split)
        python = cifar10(tmp_path / "cifar-10-batches-py", split=split)
        rows = torch.arange(0, count, 7)
        assert len(binary) == len(python) == count
        assert torch.equal(binary.labels, python.labels)
        assert torch.equal(binary.fetch(rows)["image"], python.fetch(rows)["image"])
    assert python.labels.bincount().tolist() == [1000] * 10
    assert python.class_names[int(python.labels[0])] == "cat"
