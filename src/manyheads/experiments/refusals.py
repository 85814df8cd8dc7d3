"""What every kind of experiment refuses before it starts, rather than after hours of training."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path


def refuse_stray_name(name: str, *, folder: Path) -> None:
    """Make sure that a run's folder lies inside the folder of runs.

    Raises:
        ValueError: if its name is empty or leads outside.
    """
    if not Path(name).parts or Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"a run's name is a folder inside {folder}, got {name!r}")


def refuse_two_roots(roots: Mapping[str, Path | None]) -> None:
    """Make sure that the fields that may say where the data lies say one thing.

    Args:
        roots: what each says, by the field's name; None where it says nothing.

    Raises:
        ValueError: if two disagree.
    """
    said = {name: root for name, root in roots.items() if root is not None}
    if len(set(said.values())) > 1:
        listed = " and ".join(f"{name} ({root})" for name, root in said.items())
        raise ValueError(f"{listed} both say where the data lies; give one")


def refuse_negative_checks(examples: int) -> None:
    """Make sure that sanity checks are of some examples, or of none.

    Raises:
        ValueError: if their number is below zero.
    """
    if examples < 0:
        raise ValueError(f"sanity_examples is a count, 0 for no checks, got {examples}")


def refuse_low_counts(counts: Mapping[str, int | None]) -> None:
    """Make sure that whatever is counted is there at least once.

    Args:
        counts: by the field's name; None where nothing is counted.

    Raises:
        ValueError: naming all that are below one.
    """
    low = [f"{name}={given}" for name, given in counts.items() if given is not None and given < 1]
    if low:
        raise ValueError(f"these counts have to be 1 or more, got {', '.join(low)}")


def refuse_trial_names(names: Iterable[str]) -> None:
    """Make sure that every trial can name a file, each another one.

    Raises:
        ValueError: naming the first that cannot.
    """
    counted = Counter(name.replace(" ", "-") for name in names)
    odd = [name for name, count in counted.items() if count > 1 or not re.fullmatch(r"\w[\w+-]*", name)]
    if odd:
        raise ValueError(
            "a trial is named with letters, digits, -, + and blanks (which count as -), no two alike, "
            f"got {odd[0]!r}; rename it"
        )
