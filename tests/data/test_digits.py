"""Digits: scikit-learn's, MNIST and Fashion-MNIST in every usual folder, SVHN; and real MNIST."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from sklearn.datasets import load_digits

from manyheads.data import DataError, Source, Subset, fashion_mnist, mnist, sklearn_digits, svhn

GREY = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([7, 0, 9, 1, 7], np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
Reader = Callable[..., Source]


def everything(source: Source) -> dict[str, torch.Tensor]:
    return source.fetch(torch.arange(len(source)))


def packed(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_idx(folder: Path, *, stem: str, images: np.ndarray = GREY, labels: np.ndarray = LABELS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}-images-idx3-ubyte").write_bytes(packed(images))
    (folder / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(packed(labels)))


def write_svhn(folder: Path, **variables: object) -> Path:
    path = folder / "train_32x32.mat"
    savemat(path, {"X": COLOUR, "y": np.array([[1], [10], [3], [9]], np.uint8)} | variables, do_compression=True)
    return path


def test_the_digits_are_split_once_and_for_all() -> None:
    train, test = sklearn_digits("train"), sklearn_digits("test")
    assert isinstance(train, Subset)
    assert isinstance(test, Subset)
    assert sorted(train.rows.tolist() + test.rows.tolist()) == list(range(1797))
    assert torch.equal(test.rows, everything(sklearn_digits("test"))["index"])
    shares = test.labels.bincount() / (train.labels.bincount() + test.labels.bincount())
    assert ((shares - 0.3).abs() < 0.006).all()


def test_the_digits_are_scikit_learns() -> None:
    given, batch = load_digits(), everything(sklearn_digits("test"))
    levels = torch.tensor(given.images)[batch["index"]]
    assert batch["label"].tolist() == given.target[batch["index"]].tolist()
    assert batch["image"].dtype == torch.uint8
    assert batch["image"].max() == 255
    assert ((batch["image"][:, 0] - levels * 255 / 16).abs() <= 0.5).all()


@pytest.mark.parametrize(("split", "pixels"), [("train", GREY), ("test", 255 - GREY)])
@pytest.mark.parametrize(
    ("read", "folder"),
    [
        (mnist, ""),
        (mnist, "MNIST/raw"),
        (mnist, "MNIST"),
        (mnist, "raw"),
        (fashion_mnist, ""),
        (fashion_mnist, "FashionMNIST/raw"),
    ],
)
def test_idx_files_are_found_where_they_usually_lie(
    tmp_path: Path, split: str, pixels: np.ndarray, read: Reader, folder: str
) -> None:
    write_idx(tmp_path / folder, stem="train")
    write_idx(tmp_path / folder, stem="t10k", images=255 - GREY)
    source = read(tmp_path, split=split)
    batch = everything(source)
    assert source.image_shape == (1, 28, 28)
    assert np.array_equal(batch["image"][:, 0].numpy(), pixels)
    assert batch["label"].tolist() == LABELS.tolist()
    assert batch["label"].dtype == torch.int64
    assert batch["index"].tolist() == [0, 1, 2, 3, 4]


def test_classes_are_named() -> None:
    assert sklearn_digits("test").class_names[3] == "3"


def test_garments_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path, stem="train")
    assert fashion_mnist(tmp_path, split="train").class_names[9] == "Ankle boot"


@pytest.mark.parametrize("read", [mnist, fashion_mnist, svhn])
def test_an_empty_folder_is_an_error_that_says_where_to_get_the_data(tmp_path: Path, read: Reader) -> None:
    with pytest.raises(DataError, match=r"train.*found (neither|no such file); get it from (yann|github|ufldl)"):
        read(tmp_path, split="train")


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: expected .*in MNIST/raw or right there, found no such folder"):
        mnist(tmp_path / "nowhere", split="test")


def test_missing_labels_are_an_error(tmp_path: Path) -> None:
    write_idx(tmp_path, stem="train")
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"expected the file train-labels-idx1-ubyte or .*found neither"):
        mnist(tmp_path, split="train")


def test_counts_that_differ_are_an_error(tmp_path: Path) -> None:
    write_idx(tmp_path, stem="train", labels=LABELS[:4])
    with pytest.raises(DataError, match="as many labels as images, found 4 for 5"):
        mnist(tmp_path, split="train")


def test_a_label_that_is_no_class_is_an_error(tmp_path: Path) -> None:
    write_idx(tmp_path, stem="train", labels=LABELS + 1)
    with pytest.raises(DataError, match="labels 0 to 9, found 1 to 10"):
        mnist(tmp_path, split="train")


@pytest.mark.parametrize("folder", ["", "SVHN", "svhn"])
def test_svhn_is_read_with_ten_as_zero(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    write_svhn(tmp_path / folder)
    source = svhn(tmp_path, split="train")
    batch = everything(source)
    assert batch["label"].tolist() == [1, 0, 3, 9]
    assert np.array_equal(batch["image"][2].permute(1, 2, 0).numpy(), COLOUR[..., 2])
    assert source.image_shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"y": np.array([[1], [0], [3], [4]])}, "labels 1 to 10, found 0 to 4"),
        ({"y": np.array([[1], [11], [3], [4]])}, "labels 1 to 10, found 1 to 11"),
        ({"y": np.array([[1], [2], [3]])}, "as many labels as images, found 3 for 4"),
        ({"y": np.array([[1], [2.5], [3], [4]])}, "y: whole numbers, found float64, not all whole"),
        ({"y": np.array([[1], [np.nan], [3], [4]])}, "y: whole numbers, found float64, not all whole"),
        ({"y": "text"}, "y: whole numbers, found <U4"),
        ({"X": COLOUR.astype(float)}, r"X: uint8 of shape .*found float64 of shape \(32, 32, 3, 4\)"),
        ({"X": COLOUR.transpose(3, 2, 0, 1)}, r"found uint8 of shape \(4, 3, 32, 32\)"),
        ({"X": COLOUR[..., :0], "y": np.zeros((0, 1))}, "as many labels as images, found 0 for 0"),
    ],
)
def test_svhn_of_another_form_is_refused(tmp_path: Path, variables: dict[str, object], message: str) -> None:
    write_svhn(tmp_path, **variables)
    with pytest.raises(DataError, match=message):
        svhn(tmp_path, split="train")


def test_svhn_labels_may_be_floats_as_matlab_likes_them(tmp_path: Path) -> None:
    write_svhn(tmp_path, y=np.array([[1.0], [10.0], [3.0], [9.0]]))
    assert svhn(tmp_path, split="train").labels.tolist() == [1, 0, 3, 9]


def test_svhn_without_its_labels_is_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "train_32x32.mat", {"X": COLOUR, "z": 1})
    with pytest.raises(DataError, match="the variables X and y, found of these only X"):
        svhn(tmp_path, split="train")


@pytest.mark.parametrize("kept", [0, 60, 130, 2_000, 8_000])
def test_a_truncated_svhn_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = write_svhn(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"train_32x32.mat: expected .*get it from ufldl"):
        svhn(tmp_path, split="train")


def test_a_newer_matlab_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(1000))
    with pytest.raises(DataError, match="expected a MATLAB file, found one that is damaged or of another version"):
        svhn(tmp_path, split="train")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("split", "counts"),
    [
        ("train", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("test", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_real_mnist_has_its_known_counts(real_data: Path, split: str, counts: list[int]) -> None:
    source = mnist(real_data, split=split)
    assert source.labels.bincount().tolist() == counts
    assert source.image_shape == (1, 28, 28)


@pytest.mark.real_data
def test_real_mnist_begins_with_a_seven(real_data: Path) -> None:
    batch = mnist(real_data / "MNIST" / "raw", split="test").fetch(torch.arange(3))
    assert batch["label"].tolist() == [7, 2, 1]
    assert batch["image"][0].sum() == 18454
