"""Reading somebody else's pickle without running anything: plain values and arrays of bytes, and nothing else.

A pickle is a program that names functions and calls them. Here every name it may use stands for a few lines of this
file; no function of NumPy or of the standard library is handed out. (The stand-ins are classes with a `__setstate__`,
or plain text: a pickle can hang new attributes on anything else that it gets hold of.)
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from manyheads.data.errors import DataError, wrong

_DAMAGED = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError, MemoryError, OverflowError,
)  # fmt: skip
"""What the standard library's unpickler raises for a file that is cut off or was never a pickle."""


def read_pickle(path: Path, *, origin: str) -> object:
    """Read a pickle of plain values and NumPy arrays of unsigned bytes, as CIFAR's Python version holds them.

    Text that Python 2 wrote comes out as bytes.

    Args:
        path: the file.
        origin: where to get the data set.

    Raises:
        DataError: if it is damaged, or names anything that such a file never does.
    """
    with path.open("rb") as file:
        try:
            return _arrays(_Restricted(file).load())
        except DataError as error:
            raise DataError(f"{path}: {error}; delete it and get it again from {origin}") from error
        except _DAMAGED as error:
            found = f"one that is damaged ({type(error).__name__}: {error})"
            raise wrong(path, wanted="a pickle", found=found, origin=origin) from error


class _Restricted(pickle.Unpickler):
    """An unpickler that knows a handful of names."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="bytes")

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 (whatever the pickle names)
        """Look up the stand-in for what a pickle names."""
        if (module, name) not in _STAND_INS:
            raise DataError(f"the pickle asks for {module}.{name}, which no data file needs; it may be malicious")
        return _STAND_INS[module, name]


class _ByteType:
    """Stands for `numpy.dtype`: unsigned bytes, or an error."""

    def __init__(self, code: bytes | str, *_: object) -> None:
        if code not in {b"u1", "u1"}:
            raise DataError(f"the pickle holds an array of type {code!r}; images are unsigned bytes, 'u1'")

    def __setstate__(self, state: object) -> None:
        """Take the byte order and alignment, which bytes do not have."""


class _Array:
    """Stands for an array while its parts are read."""

    def __init__(self, *_: object) -> None:
        self.made: np.ndarray | None = None

    def __setstate__(self, state: tuple[int, tuple[int, ...], object, bool, bytes]) -> None:
        """Take version, shape, type, order (true for column by column) and bytes."""
        _, shape, kind, by_column, content = state
        if not isinstance(kind, _ByteType) or not isinstance(content, bytes):
            raise DataError("the pickle holds an array that is not made of unsigned bytes")
        self.made = np.frombuffer(content, np.uint8).reshape(shape, order="F" if by_column else "C").copy()


class _LatinBytes(bytes):
    """Stands for `_codecs.encode`, by which Python 3 writes bytes in the old protocols."""

    def __new__(cls, text: str, encoding: str) -> "_LatinBytes":  # noqa: PYI034 (beartype cannot check Self here)
        if encoding != "latin1":
            raise DataError(f"the pickle asks for text in the encoding {encoding!r}; bytes are written as 'latin1'")
        return super().__new__(cls, text.encode("latin1"))

    def __setstate__(self, state: object) -> None:
        """Take nothing: bytes have no state, and a pickle may change none of this class."""


_STAND_INS: Mapping[tuple[str, str], type | str] = {
    ("numpy", "ndarray"): "numpy.ndarray",
    ("numpy", "dtype"): _ByteType,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("_codecs", "encode"): _LatinBytes,
}


def _arrays(value: object) -> object:
    """Put the finished arrays in the place of their stand-ins, in a dict or alone."""
    if isinstance(value, dict):
        return {key: _arrays(inner) for key, inner in value.items()}
    return value.made if isinstance(value, _Array) else value
