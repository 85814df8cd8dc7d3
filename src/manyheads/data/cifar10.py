"""CIFAR-10, in its binary or its Python version."""

import io
import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from manyheads.data.errors import DataError, wrong
from manyheads.data.source import InMemory, Source

OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SOURCE = "www.cs.toronto.edu/~kriz/cifar.html"
_PIXELS = 3 * 32 * 32
_BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}


def cifar10(root: Path, *, split: Literal["train", "test"]) -> Source:
    """Read CIFAR-10: colour images of 32×32 pixels, 50 000 and 10 000 in full.

    Of the five training batches those that are there are read, in order; the length of the result tells how many.

    Args:
        root: the folder `cifar-10-batches-bin` (binary version) or `cifar-10-batches-py` (Python version), or one that
            holds either; the binary version is preferred.
        split: which split.

    Raises:
        DataError: if no batch of the split is there, or one is damaged.
    """
    binary = _folder(Path(root), title="cifar-10-batches-bin", pattern="*_batch*.bin")
    if binary is not None:
        parts = [_read_binary(path) for name in _BATCHES[split] if (path := binary / f"{name}.bin").exists()]
        folder = binary
    else:
        folder = _folder(Path(root), title="cifar-10-batches-py", pattern="*_batch*") or Path(root)
        parts = [_read_python(path) for name in _BATCHES[split] if (path := folder / name).exists()]
    if not parts:
        wanted = f"{_BATCHES[split][0]} (Python version) or {_BATCHES[split][0]}.bin (binary version)"
        raise wrong(folder, wanted=wanted, found="no batch of this split", source=SOURCE)
    labels = np.concatenate([labels for labels, _ in parts])
    pixels = np.concatenate([pixels for _, pixels in parts]).reshape(-1, 3, 32, 32)
    return InMemory(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)), OBJECTS)


def _folder(root: Path, *, title: str, pattern: str) -> Path | None:
    return next((one for one in (root, root / title) if one.is_dir() and any(one.glob(pattern))), None)


def _read_binary(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read records of one label byte and 3072 pixel bytes."""
    content = np.fromfile(path, np.uint8)
    if len(content) == 0 or len(content) % (1 + _PIXELS):
        wanted = f"a whole number of records of {1 + _PIXELS} bytes"
        raise wrong(path, wanted=wanted, found=f"{len(content)} bytes", source=SOURCE)
    records = content.reshape(-1, 1 + _PIXELS)
    return _checked(path, labels=records[:, 0], pixels=np.ascontiguousarray(records[:, 1:]))


def _read_python(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a pickled dict of `labels` and `data`."""
    try:
        batch = RestrictedUnpickler(io.BytesIO(path.read_bytes())).load()
    except DataError as error:
        raise DataError(f"{path}: {error}; get the file again from {SOURCE}") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise DataError(f"{path}: the pickle is damaged ({error}); get the file again from {SOURCE}") from error
    entries = {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    if not isinstance(entries.get("data"), np.ndarray) or "labels" not in entries:
        raise wrong(path, wanted="a dict with `data` and `labels`", found=f"{sorted(entries)}", source=SOURCE)
    return _checked(path, labels=np.asarray(entries["labels"]), pixels=entries["data"])


def _text(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _checked(path: Path, *, labels: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if pixels.shape != (len(labels), _PIXELS) or pixels.dtype != np.uint8:
        wanted = f"{len(labels)} rows of {_PIXELS} bytes, one per label"
        raise wrong(path, wanted=wanted, found=f"{pixels.dtype} of shape {pixels.shape}", source=SOURCE)
    if len(labels) == 0 or labels.min() < 0 or labels.max() > 9:
        found = f"{labels.min()} to {labels.max()}" if len(labels) else "none"
        raise wrong(path, wanted="labels 0 to 9", found=found, source=SOURCE)
    return labels, pixels


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that makes plain values and NumPy arrays, and refuses all else: a pickle can name any function."""

    ALLOWED = frozenset(
        {
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("_codecs", "encode"),
        }
    )

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 (whatever the pickle names)
        """Look up what a pickle names.

        Raises:
            DataError: if it is nothing that CIFAR's files need.
        """
        if (module, name) not in self.ALLOWED:
            raise DataError(f"the pickle asks for {module}.{name}, which CIFAR's files never do; it may be malicious")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
