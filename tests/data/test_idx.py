"""The idx format is read exactly, plain or gzipped, and what is not of it is refused."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from manyheads.data import DataError
from manyheads.data.idx import read_idx

ORIGIN = "example.org"
CUBE = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def packed(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def read(folder: Path, *, axes: int = 3) -> np.ndarray:
    return read_idx(folder, name="cube", axes=axes, origin=ORIGIN).numpy()


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(max_dims=4, max_side=5)),
    st.sampled_from([("cube", bytes), ("cube.gz", gzip.compress)]),
)
def test_what_was_written_is_read(array: np.ndarray, form: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, pack = form
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(pack(packed(array)))
        assert np.array_equal(read(Path(folder), axes=array.ndim), array)


def test_the_plain_file_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "cube").write_bytes(packed(CUBE))
    (tmp_path / "cube.gz").write_bytes(gzip.compress(packed(CUBE + 100)))
    assert np.array_equal(read(tmp_path), CUBE)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected the file cube or cube.gz, found neither; get it from example.org"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"<html>not found</html>", "22 bytes that begin 3c 68 74 6d"),
        (packed(CUBE)[:10], "10 bytes that begin 00 00 08 03"),
        (packed(CUBE[0]), "24 bytes that begin 00 00 08 02"),
        (b"\0\0\x0d" + packed(CUBE)[3:], "40 bytes that begin 00 00 0d 03"),
    ],
    ids=["empty", "a web page", "cut in the header", "two axes", "floats"],
)
def test_another_magic_number_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "cube").write_bytes(content)
    with pytest.raises(DataError, match=rf"begins 00 00 08 03\), found {found}"):
        read(tmp_path)


@pytest.mark.parametrize(("change", "found"), [(lambda whole: whole[:-1], 23), (lambda whole: whole + b"!", 25)])
def test_too_few_or_too_many_bytes_are_refused(tmp_path: Path, change: Callable[[bytes], bytes], found: int) -> None:
    (tmp_path / "cube").write_bytes(change(packed(CUBE)))
    with pytest.raises(DataError, match=rf"24 bytes of data for its sizes \(2, 3, 4\), found {found} bytes"):
        read(tmp_path)


def test_no_examples_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cube").write_bytes(packed(CUBE[:0]))
    with pytest.raises(DataError, match=r"at least one example, found the sizes \(0, 3, 4\)"):
        read(tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-9], lambda whole: whole[:20] + bytes(9) + whole[29:], lambda _: b"?"]
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    (tmp_path / "cube.gz").write_bytes(damage(gzip.compress(packed(CUBE))))
    with pytest.raises(DataError, match=r"cube.gz: the gzip file is damaged .*get it again from example.org"):
        read(tmp_path)
