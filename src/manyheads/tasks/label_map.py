"""Label maps: how the classes of a data set are regrouped into the classes of a hidden task."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from manyheads.deferral import examine
from manyheads.tasks.suggestion import suggest


@runtime_checkable
class Relation(Protocol):
    """What ties a hidden task to the main one: which of its answers go with which main class."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the hidden task's classes."""
        ...

    @property
    def compatible(self) -> Bool[Tensor, "classes hidden"]:
        """Whether the hidden answer (column) is possible for the main class (row)."""
        ...


@dataclass(frozen=True)
class LabelMap:
    """A total map from the classes of a data set onto fewer groups.

    Args:
        names: the groups' names.
        groups: `groups[old class]` is the new class.

    Raises:
        ValueError: if a class has no group, a group has no class, or there are too few of either.

    Reference: Hyun & Park, IEEE Access 2024, section III-B (the map P_m). Differs from it in: nothing.

    >>> parity = LabelMap(("even", "odd"), (0, 1) * 5)
    >>> parity.names[parity.groups[7]]
    'odd'
    """

    names: tuple[str, ...]
    groups: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse a map that is not total and onto."""
        if len(self.groups) < 3:
            raise ValueError(f"a label map needs at least 3 classes to regroup, got {len(self.groups)}")
        if len(set(self.names)) != len(self.names) or len(self.names) < 2:
            raise ValueError(f"a label map needs at least two groups with distinct names, got {self.names}")
        outside = sorted({group for group in self.groups if not 0 <= group < len(self.names)})
        if outside:
            raise ValueError(f"groups are 0 to {len(self.names) - 1} ({', '.join(self.names)}), got {outside}")
        empty = [name for group, name in enumerate(self.names) if group not in self.groups]
        if empty:
            raise ValueError(f"every group needs a class, these have none: {', '.join(empty)}")

    @property
    def classes(self) -> int:
        """How many classes are regrouped."""
        return len(self.groups)

    @property
    def compatible(self) -> Bool[Tensor, "classes groups"]:
        """Which hidden answers go with which main class."""
        return torch.nn.functional.one_hot(torch.tensor(self.groups), len(self.names)).bool()

    def members(self, name: str) -> tuple[int, ...]:
        """List the classes of one group.

        Raises:
            ValueError: if there is no such group.
        """
        if name not in self.names:
            raise ValueError(f"no group is called {name!r}; {suggest(name, known=self.names)}")
        return tuple(old for old, new in enumerate(self.groups) if self.names[new] == name)

    def __call__(self, label: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
        """Regroup labels of any shape.

        Raises:
            ValueError: if a label is not one of the map's classes.
        """
        check_labels(label, classes=self.classes, whose=" for this map")
        groups = torch.tensor(self.groups).to(label.device, non_blocking=label.is_cuda)
        # Where nobody waits for the verdict, a label out of range must not end the program on the device.
        return groups[label.clamp(0, self.classes - 1)]


def check_labels(label: Int64[Tensor, "*shape"], *, classes: int, whose: str = "") -> None:
    """Refuse labels that are no class.

    Args:
        label: the labels.
        classes: how many classes there are.
        whose: what the message adds on whose they are.

    Raises:
        ValueError: if a label is below 0 or too high; inside `deferred`, when the device has told.
    """

    def refuse(bounds: list[float]) -> None:
        low, high = bounds
        if not 0 <= low <= high < classes:
            raise ValueError(f"labels must be 0 to {classes - 1}{whose}, got {low:.0f} to {high:.0f}")

    if label.numel():
        examine(torch.stack([label.min(), label.max()]), refuse)


def from_classes(groups: Mapping[str, Iterable[str]], *, class_names: tuple[str, ...]) -> LabelMap:
    """Build a label map from class names, group by group.

    Args:
        groups: each group's name with the names of its classes.
        class_names: all classes of the data set, in the order of their labels.

    Raises:
        ValueError: if a class is unknown, named twice or forgotten.

    >>> from_classes({"animal": ["cat", "dog"], "vehicle": ["ship"]}, class_names=("cat", "dog", "ship")).groups
    (0, 0, 1)
    """
    placed: dict[str, int] = {}
    for number, (group, members) in enumerate(groups.items()):
        for member in members:
            if member not in class_names:
                nearest = suggest(member, known=class_names)
                raise ValueError(f"group {group!r} names {member!r}, which is not a class; {nearest}")
            if member in placed:
                raise ValueError(f"class {member!r} stands in group {list(groups)[placed[member]]!r} and in {group!r}")
            placed[member] = number
    forgotten = [name for name in class_names if name not in placed]
    if forgotten:
        raise ValueError(f"no group names these classes: {', '.join(forgotten)}; add each to a group")
    return LabelMap(tuple(groups), tuple(placed[name] for name in class_names))
