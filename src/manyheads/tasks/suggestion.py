"""What to tell a caller whose name is unknown: the nearest known one."""

import difflib
from collections.abc import Iterable


def suggest(name: str, *, known: Iterable[str]) -> str:
    """Return the end of an error message: the nearest known name, or all of them where none is near.

    >>> suggest("mnist/prim", known=["mnist/parity", "mnist/prime"])
    "did you mean 'mnist/prime'?"
    >>> suggest("xyz", known=["cat", "dog"])
    'known: cat, dog'
    """
    names = list(known)
    lowered = {candidate.lower(): candidate for candidate in reversed(names)}
    nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
    return f"did you mean {lowered[nearest[0]]!r}?" if nearest else f"known: {', '.join(names)}"
