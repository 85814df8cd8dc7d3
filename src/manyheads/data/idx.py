"""The idx format of MNIST and its kin: a magic number, big-endian sizes, then bytes; plain or gzipped."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from manyheads.data.errors import DataError, wrong

_UNSIGNED_BYTE = 8


def read_idx(folder: Path, *, name: str, axes: int, origin: str) -> UInt8[Tensor, "..."]:
    """Read one idx file of unsigned bytes.

    Args:
        folder: where it lies, plain or with the ending `.gz`; the plain one is read where both are there.
        name: its name without that ending.
        axes: how many axes it should have.
        origin: where to get the data set.

    Raises:
        DataError: if it is missing, damaged, or not of this form.

    Reference: LeCun, Cortes & Burges, the MNIST database, "File formats for the MNIST database".
    """
    plain, zipped = folder / name, folder / f"{name}.gz"
    path = plain if plain.exists() else zipped
    if not path.exists():
        raise wrong(folder, wanted=f"the file {name} or {name}.gz", found="neither", origin=origin)
    content = _content(path, origin=origin)
    header = 4 + 4 * axes
    if len(content) < header or tuple(content[:4]) != (0, 0, _UNSIGNED_BYTE, axes):
        wanted = f"an idx file of unsigned bytes with {axes} axes (it begins 00 00 08 {axes:02d})"
        found = f"{len(content)} bytes that begin {content[:4].hex(' ')}" if content else "an empty file"
        raise wrong(path, wanted=wanted, found=found, origin=origin)
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", count=axes, offset=4))
    if len(content) != header + prod(shape):
        wanted = f"{prod(shape)} bytes of data for its sizes {shape}"
        raise wrong(path, wanted=wanted, found=f"{len(content) - header} bytes", origin=origin)
    if prod(shape) == 0:
        raise wrong(path, wanted="at least one example", found=f"the sizes {shape}", origin=origin)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy())


def _content(path: Path, *, origin: str) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); get it again from {origin}") from error
