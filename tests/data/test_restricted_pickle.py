"""A stranger's pickle gives plain values and arrays of bytes, and never runs anything."""

import contextlib
import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manyheads.data import DataError
from manyheads.data.restricted_pickle import read_pickle

PIXELS = np.arange(12, dtype=np.uint8).reshape(3, 4)


def read(folder: Path, content: bytes) -> object:
    path = folder / "batch"
    path.write_bytes(content)
    return read_pickle(path, origin="example.org")


def old_text(text: bytes) -> bytes:
    """Write a text as Python 2 did."""
    return b"T" + struct.pack("<i", len(text)) + text


def python2_batch(pixels: np.ndarray) -> bytes:
    """Write what Python 2's pickle makes of a dict of one array, protocol 2."""
    rows, columns = (b"K" + bytes([size]) for size in pixels.shape)
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85" + old_text(b"b") + b"\x87R"
    kind = b"cnumpy\ndtype\n" + old_text(b"u1") + b"K\0K\1\x87R"
    kind += b"(K\3" + old_text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    state = b"(K\1" + rows + columns + b"\x86" + kind + b"\x89" + old_text(pixels.tobytes()) + b"tb"
    labels = old_text(b"labels") + b"](K\3K\1K\4e"
    return b"\x80\2}(" + old_text(b"data") + array + state + labels + b"u."


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self.target}'",)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL))
def test_plain_values_and_arrays_are_read(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps({b"data": PIXELS, "labels": [1, 2, 3], b"name": b"\xff", 4: None}, protocol=protocol)
    found = read(tmp_path, content)
    assert isinstance(found, dict)
    assert np.array_equal(found.pop(b"data"), PIXELS)
    assert found == {"labels": [1, 2, 3], b"name": b"\xff", 4: None}


def test_what_python_2_wrote_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, python2_batch(PIXELS))
    assert isinstance(found, dict)
    assert np.array_equal(found[b"data"], PIXELS)
    assert found[b"labels"] == [3, 1, 4]


def test_an_array_stored_by_columns_is_read(tmp_path: Path) -> None:
    assert np.array_equal(read(tmp_path, pickle.dumps(np.asfortranarray(PIXELS), protocol=2)), PIXELS)


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    target = tmp_path / "touched"
    with pytest.raises(DataError, match=r"batch: the pickle asks for (posix|nt)\.system.*malicious; delete it"):
        read(tmp_path, pickle.dumps({b"data": Evil(target)}, protocol=2))
    assert not target.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\2cbuiltins\neval\nX\1\0\0\0" + b"1\x85R.",
        b"\x80\2c__builtin__\neval\nX\1\0\0\0" + b"1\x85R.",
        b"\x80\2cnumpy\nload\nX\1\0\0\0a\x85R.",
        b"\x80\2cnumpy.core.multiarray\nfromfile\nX\1\0\0\0a\x85R.",
        b"\x80\4\x8c\5numpy\x8c\x10loadtxt.__call__\x93.",
        pickle.dumps(OrderedDict(), protocol=2),
        pickle.dumps(np.float64(1), protocol=2),
    ],
    ids=["eval", "old eval", "numpy.load", "fromfile", "dotted", "ordered dict", "scalar"],
)
def test_every_other_name_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"the pickle asks for .* which no data file needs"):
        read(tmp_path, content)


@pytest.mark.parametrize("kind", ["f4", "i8", "O", "u2"])
def test_arrays_of_anything_but_bytes_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataError, match=rf"holds an array of type .*{kind}.* images are unsigned bytes, 'u1'"):
        read(tmp_path, pickle.dumps(np.zeros(3, kind), protocol=2))


def test_an_array_without_a_type_is_refused(tmp_path: Path) -> None:
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R(K\1K\1\x85N\x89" + old_text(b"?") + b"tb."
    with pytest.raises(DataError, match="an array that is not made of unsigned bytes"):
        read(tmp_path, b"\x80\2" + array)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="text in the encoding 'rot13'"):
        read(tmp_path, b"\x80\2c_codecs\nencode\nX\1\0\0\0aX\5\0\0\0rot13\x86R.")


@pytest.mark.parametrize("name", [b"c_codecs\nencode\n", b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"])
def test_a_pickle_cannot_change_a_stand_in(tmp_path: Path, name: bytes) -> None:
    with pytest.raises(DataError, match="expected a pickle, found one that is damaged"):
        read(tmp_path, b"\x80\2" + name + b"N}X\5\0\0\0trickK\1s\x86b.")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_pickle(tmp_path / "nothing", origin="example.org")


@pytest.mark.parametrize("kept", range(0, len(python2_batch(PIXELS)), 3))
def test_a_truncated_pickle_is_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(DataError, match=r"expected a pickle, found one that is damaged .*get it from example.org"):
        read(tmp_path, python2_batch(PIXELS)[:kept])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.integers(0, len(python2_batch(PIXELS)) - 1), st.integers(0, 255))
def test_one_wrong_byte_raises_nothing_but_a_data_error(tmp_path: Path, place: int, value: int) -> None:
    content = bytearray(python2_batch(PIXELS))
    content[place] = value
    with contextlib.suppress(DataError):
        read(tmp_path, bytes(content))
