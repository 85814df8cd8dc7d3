"""Errors of data name the file, what was wanted, what was found, and where to get it."""

from pathlib import Path

import pytest

from manyheads.data import DataError
from manyheads.data.errors import part, wrong


def test_the_error_says_everything() -> None:
    error = wrong(Path("some") / "file", wanted="ten bytes", found="nine", origin="example.org")
    assert isinstance(error, DataError)
    assert isinstance(error, ValueError)
    assert str(error) == f"{Path('some') / 'file'}: expected ten bytes, found nine; get it from example.org"


def test_a_part_is_picked_by_name() -> None:
    assert part({"train": 1, "test": 2}, name="test") == 2


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(ValueError, match="the data set has the parts train, test; got 'valid'"):
        part({"train": 1, "test": 2}, name="valid")
