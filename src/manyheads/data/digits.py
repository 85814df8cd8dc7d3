"""Digits and what is stored like them: scikit-learn's digits (no download), MNIST, Fashion-MNIST, SVHN."""

import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int64
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from sklearn.datasets import load_digits
from torch import Tensor

from manyheads.data.errors import part, wrong
from manyheads.data.idx import read_idx
from manyheads.data.source import InMemory, Source
from manyheads.data.source import split as split_source

Split = Literal["train", "test"]
"""The names of a data set's parts."""

DIGITS = tuple("0123456789")
"""The ten digits, in the order of their labels."""

GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
"""The ten garments of Fashion-MNIST, in the order of their labels."""

_IDX_STEMS = {"train": "train", "test": "t10k"}
_IDX_ORIGINS = {
    "MNIST": "yann.lecun.com/exdb/mnist (mirrored by torchvision's datasets.MNIST)",
    "FashionMNIST": "github.com/zalandoresearch/fashion-mnist (mirrored by torchvision's datasets.FashionMNIST)",
}
_SVHN_ORIGIN = "ufldl.stanford.edu/housenumbers (format 2, cropped digits)"


def sklearn_digits(split: Split) -> Source:
    """Read scikit-learn's digits: 1797 grey images of 8×8 pixels, of which 30 % of every class are the test split.

    The 17 grey levels are scaled to 0-255 and rounded. The split is this project's own: the data set has none.

    Args:
        split: which split.

    Raises:
        ValueError: if there is no such split.

    >>> train, test = sklearn_digits("train"), sklearn_digits("test")
    >>> len(train), len(test), train.image_shape
    (1258, 539, (1, 8, 8))
    """
    levels, labels = load_digits(return_X_y=True)
    pixels = np.rint(np.asarray(levels) * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    whole = InMemory(torch.from_numpy(pixels), torch.from_numpy(np.asarray(labels, dtype=np.int64)), DIGITS)
    train, test = split_source(whole, share=0.3, seed=0)
    return part({"train": train, "test": test}, name=split)


def mnist(root: Path, *, split: Split) -> Source:
    """Read MNIST: 60 000 and 10 000 grey digits of 28×28 pixels.

    Args:
        root: the folder with the four idx files, or one that holds them in `MNIST/raw`, `MNIST` or `raw`.
        split: which split.

    Raises:
        DataError: if a file is missing, damaged or of another form.
        ValueError: if there is no such split.
    """
    return _idx_set(Path(root), split=split, title="MNIST", class_names=DIGITS)


def fashion_mnist(root: Path, *, split: Split) -> Source:
    """Read Fashion-MNIST: 60 000 and 10 000 grey garments of 28×28 pixels.

    Args:
        root: the folder with the four idx files, or one that holds them in `FashionMNIST/raw`, `FashionMNIST` or `raw`.
        split: which split.

    Raises:
        DataError: if a file is missing, damaged or of another form.
        ValueError: if there is no such split.
    """
    return _idx_set(Path(root), split=split, title="FashionMNIST", class_names=GARMENTS)


def svhn(root: Path, *, split: Split) -> Source:
    """Read SVHN's cropped digits: 73 257 and 26 032 colour images of 32×32 pixels; label 10 means the digit zero.

    Args:
        root: the folder with `train_32x32.mat` and `test_32x32.mat`, or one that holds it as `SVHN` or `svhn`.
        split: which split.

    Raises:
        DataError: if a file is missing, damaged or of another form.
        ValueError: if there is no such split.
    """
    name = part({"train": "train_32x32.mat", "test": "test_32x32.mat"}, name=split)
    candidates = [Path(root) / folder / name for folder in ("", "SVHN", "svhn")]
    path = next((one for one in candidates if one.exists()), candidates[0])
    if not path.exists():
        raise wrong(path, wanted="the MATLAB file of this split", found="no such file", origin=_SVHN_ORIGIN)
    pixels, labels = _matlab_variables(path)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[:3] != (32, 32, 3):
        found = f"{pixels.dtype} of shape {pixels.shape}"
        raise wrong(path, wanted="X: uint8 of shape (32, 32, 3, images)", found=found, origin=_SVHN_ORIGIN)
    if labels.dtype.kind not in "uif" or not np.array_equal(labels, np.rint(labels)):  # MATLAB likes whole floats
        raise wrong(path, wanted="y: whole numbers", found=f"{labels.dtype}, not all whole", origin=_SVHN_ORIGIN)
    label = torch.from_numpy(labels.astype(np.int64).reshape(-1))
    _check_labels(path, label, images=pixels.shape[3], allowed=range(1, 11), origin=_SVHN_ORIGIN)
    images = torch.from_numpy(np.ascontiguousarray(pixels.transpose(3, 2, 0, 1)))
    return InMemory(images, label % 10, DIGITS)


def _idx_set(root: Path, *, split: Split, title: str, class_names: tuple[str, ...]) -> Source:
    origin = _IDX_ORIGINS[title]
    stem = part(_IDX_STEMS, name=split)
    folders = [root / title / "raw", root / title, root / "raw", root]
    folder = next((one for one in folders if any(one.glob(f"{stem}-*-ubyte*"))), None)
    if folder is None:
        wanted = f"{stem}-images-idx3-ubyte[.gz] and {stem}-labels-idx1-ubyte[.gz], in {title}/raw or right there"
        raise wrong(root, wanted=wanted, found="neither" if root.is_dir() else "no such folder", origin=origin)
    images = read_idx(folder, name=f"{stem}-images-idx3-ubyte", axes=3, origin=origin)
    labels = read_idx(folder, name=f"{stem}-labels-idx1-ubyte", axes=1, origin=origin).long()
    path = folder / f"{stem}-labels-idx1-ubyte"
    _check_labels(path, labels, images=len(images), allowed=range(len(class_names)), origin=origin)
    return InMemory(images[:, None], labels, class_names)


def _matlab_variables(path: Path) -> tuple[Any, Any]:
    """Read the images X and the labels y of a MATLAB file."""
    try:
        content = loadmat(path, variable_names=("X", "y"))
    except (MatReadError, OSError, ValueError, TypeError, IndexError, NotImplementedError, zlib.error) as error:
        found = f"one that is damaged or of another version ({error})"
        raise wrong(path, wanted="a MATLAB file", found=found, origin=_SVHN_ORIGIN) from error
    variables = [name for name in content if not name.startswith("__")]
    if sorted(variables) != ["X", "y"]:
        found = f"of these only {', '.join(variables) or 'none'}"
        raise wrong(path, wanted="the variables X and y", found=found, origin=_SVHN_ORIGIN)
    return content["X"], content["y"]


def _check_labels(path: Path, labels: Int64[Tensor, " examples"], *, images: int, allowed: range, origin: str) -> None:
    """Refuse labels that are not as many as the images, or name no class."""
    if len(labels) != images or images == 0:
        raise wrong(path, wanted="as many labels as images", found=f"{len(labels)} for {images}", origin=origin)
    low, high = int(labels.min()), int(labels.max())
    if low < allowed[0] or high > allowed[-1]:
        wanted = f"labels {allowed[0]} to {allowed[-1]}"
        raise wrong(path, wanted=wanted, found=f"{low} to {high}", origin=origin)
