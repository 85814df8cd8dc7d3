"""The error of data that is missing, truncated or of another form than its layout says."""

from pathlib import Path


class DataError(ValueError):
    """A data file or folder is not what its official layout says; the message names it and where to get it."""


def wrong(path: Path, *, wanted: str, found: str, source: str) -> DataError:
    """Make the error for one file or folder.

    Args:
        path: the file or folder.
        wanted: what was expected there.
        found: what is there instead.
        source: where to get the data set.
    """
    return DataError(f"{path}: expected {wanted}, found {found}; get it from {source}")
