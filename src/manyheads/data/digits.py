"""Digits and what is stored like them: scikit-learn's digits (no download), MNIST, Fashion-MNIST, SVHN."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from sklearn.datasets import load_digits
from torch import Tensor

from manyheads.data.errors import wrong
from manyheads.data.idx import read_idx
from manyheads.data.source import InMemory, Source, split

Split = Literal["train", "test"]

DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_IDX_FILES = {"train": "train", "test": "t10k"}


def sklearn_digits(part: Split) -> Source:
    """Read scikit-learn's digits: 1797 grey images of 8×8 pixels, of which 30 % of every class are the test split.

    The 17 grey levels are scaled to 0-255 and rounded. The split is this project's own: the data set has none.

    Args:
        part: which split.
    """
    digits = load_digits()
    pixels = torch.from_numpy(np.rint(digits.images * (255 / 16)).astype(np.uint8))[:, None]
    whole = InMemory(pixels, torch.from_numpy(digits.target.astype(np.int64)), DIGITS)
    train, test = split(whole, share=0.3, seed=0)
    return train if part == "train" else test


def mnist(root: Path, *, split: Split) -> Source:
    """Read MNIST: 60 000 and 10 000 grey digits of 28×28 pixels.

    Args:
        root: the folder with the four idx files, or one that holds them in `MNIST/raw`, `MNIST` or `raw`.
        split: which split.

    Raises:
        DataError: if a file is missing, damaged or of another form.
    """
    return _idx_set(Path(root), split=split, title="MNIST", class_names=DIGITS)


def fashion_mnist(root: Path, *, split: Split) -> Source:
    """Read Fashion-MNIST: 60 000 and 10 000 grey garments of 28×28 pixels.

    Args:
        root: the folder with the four idx files, or one that holds them in `FashionMNIST/raw`, `FashionMNIST` or `raw`.
        split: which split.

    Raises:
        DataError: if a file is missing, damaged or of another form.
    """
    return _idx_set(Path(root), split=split, title="FashionMNIST", class_names=GARMENTS)


_IDX_SOURCES = {
    "MNIST": "yann.lecun.com/exdb/mnist (mirrored by torchvision's datasets.MNIST)",
    "FashionMNIST": "github.com/zalandoresearch/fashion-mnist (mirrored by torchvision's datasets.FashionMNIST)",
}


def _idx_set(root: Path, *, split: Split, title: str, class_names: tuple[str, ...]) -> Source:
    source = _IDX_SOURCES[title]
    stem = _IDX_FILES[split]
    folders = [root / title / "raw", root / title, root / "raw", root]
    folder = next((one for one in folders if list(one.glob(f"{stem}-*ubyte*"))), folders[0])
    if not folder.is_dir():
        raise wrong(folder, wanted=f"the folder of the {title} idx files", found="no such folder", source=source)
    images = read_idx(folder, name=f"{stem}-images-idx3-ubyte", axes=3, source=source)
    labels = read_idx(folder, name=f"{stem}-labels-idx1-ubyte", axes=1, source=source).long()
    _check_counts(folder, images=images, labels=labels, classes=len(class_names), source=source)
    return InMemory(images[:, None], labels, class_names)


def svhn(root: Path, *, split: Split) -> Source:
    """Read SVHN's cropped digits: 73 257 and 26 032 colour images of 32×32 pixels; label 10 means the digit zero.

    Args:
        root: the folder with `train_32x32.mat` and `test_32x32.mat`, or one that holds it as `SVHN` or `svhn`.
        split: which split.

    Raises:
        DataError: if a file is missing, damaged or of another form.
    """
    source = "ufldl.stanford.edu/housenumbers (format 2, cropped digits)"
    name = f"{split}_32x32.mat"
    candidates = [Path(root) / folder / name for folder in ("", "SVHN", "svhn")]
    path = next((one for one in candidates if one.exists()), candidates[0])
    if not path.exists():
        raise wrong(path, wanted="the MATLAB file of this split", found="no such file", source=source)
    try:
        content = loadmat(path)
    except (MatReadError, ValueError, OSError, NotImplementedError) as error:
        raise wrong(path, wanted="a readable MATLAB file", found=str(error), source=source) from error
    if not {"X", "y"} <= set(content) or content["X"].shape[:3] != (32, 32, 3):
        wanted = "the variables X (32×32×3×n) and y"
        raise wrong(path, wanted=wanted, found=f"the variables {sorted(set(content) - _MATLAB)}", source=source)
    images = torch.from_numpy(np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1)).astype(np.uint8))
    labels = torch.from_numpy(content["y"].astype(np.int64).reshape(-1)) % 10
    _check_counts(path, images=images, labels=labels, classes=10, source=source)
    return InMemory(images, labels, DIGITS)


_MATLAB = {"__header__", "__version__", "__globals__"}


def _check_counts(path: Path, *, images: Tensor, labels: Tensor, classes: int, source: str) -> None:
    if len(images) != len(labels):
        raise wrong(path, wanted="as many labels as images", found=f"{len(labels)} for {len(images)}", source=source)
    if len(labels) and int(labels.max()) >= classes:
        raise wrong(path, wanted=f"labels 0 to {classes - 1}", found=f"a label {int(labels.max())}", source=source)
