"""The error of data that is missing, truncated or of another form than its layout says."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

_Part = TypeVar("_Part")


class DataError(ValueError):
    """A data file or folder is not what its official layout says; the message names it and where to get it."""


def wrong(path: Path, *, wanted: str, found: str, origin: str) -> DataError:
    """Make the error for one file or folder.

    Args:
        path: the file or folder.
        wanted: what was expected there.
        found: what is there instead.
        origin: where to get the data set.
    """
    return DataError(f"{path}: expected {wanted}, found {found}; get it from {origin}")


def part(parts: Mapping[str, _Part], *, name: str) -> _Part:
    """Pick a part of a data set, such as a split or a domain, by its name.

    Raises:
        ValueError: if there is no such part.
    """
    if name not in parts:
        raise ValueError(f"the data set has the parts {', '.join(parts)}; got {name!r}")
    return parts[name]
