"""The TOML form of a label map: groups of class names, with where they come from.

source = "where the groups come from"            # optional, like the next three
judgement = "why the classes under [ours] stand where they stand"
classes = ["cat", "dog", "frog", "ship"]         # all class names in the order of their labels

[groups]                                         # each group with its classes; the order of the hidden labels
animal = ["cat", "dog"]
vehicle = ["ship"]

[ours]                                           # more classes of these groups, placed by judgement, not by the source
animal = ["frog"]
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from manyheads.tasks.label_map import LabelMap, from_classes
from manyheads.tasks.suggestion import suggest

_KEYS = ("source", "judgement", "classes", "groups", "ours")


@dataclass(frozen=True)
class MapFile:
    """What a label map's file says.

    Args:
        origin: the file, for messages.
        source: where the groups come from, with what they follow.
        judgement: why the classes in `ours` stand where they stand.
        classes: names of all classes in the order of their labels; empty if the file leaves them out.
        groups: the class names of each group that the source itself places.
        ours: the class names of each group that were placed by judgement.
    """

    origin: str
    source: str
    judgement: str
    classes: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    ours: Mapping[str, tuple[str, ...]]

    def label_map(self, class_names: tuple[str, ...]) -> LabelMap:
        """Build the label map for a data set with these class names, in the order of their labels.

        Raises:
            ValueError: if a class is unknown, placed twice or forgotten, or the file was written for other classes.
        """
        if self.classes and sorted(self.classes) != sorted(class_names):
            odd = ", ".join(sorted(set(self.classes) ^ set(class_names))) or "how often each stands there"
            raise ValueError(f"{self.origin}: its list of classes is not that of the data set; they differ in: {odd}")
        names = list(dict.fromkeys([*self.groups, *self.ours]))
        merged = {name: [*self.groups.get(name, ()), *self.ours.get(name, ())] for name in names}
        try:
            return from_classes(merged, class_names=class_names)
        except ValueError as error:
            raise ValueError(f"{self.origin}: {error}") from error


def read_map_file(file: Path | Traversable) -> MapFile:
    """Read a label map's file and check its form.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not TOML, or not in the form above.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file; a label map is a TOML file with a table [groups]")
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: not a TOML file: {error}") from error
    unknown = [key for key in content if key not in _KEYS]
    if unknown:
        raise ValueError(f"{file}: nothing is called {unknown[0]!r} in a label map; {suggest(unknown[0], known=_KEYS)}")
    if "groups" not in content:
        raise ValueError(f'{file}: it has no table [groups]; write each group under it, as in animal = ["cat", "dog"]')
    return MapFile(
        origin=str(file),
        source=_text(content.get("source", ""), where=f"{file}: source"),
        judgement=_text(content.get("judgement", ""), where=f"{file}: judgement"),
        classes=_names(content.get("classes", []), where=f"{file}: classes"),
        groups=_table(content["groups"], where=f"{file}: groups"),
        ours=_table(content.get("ours", {}), where=f"{file}: ours"),
    )


def _text(value: object, *, where: str) -> str:
    match value:
        case str():
            return value
    raise ValueError(f"{where} must be a text, got {value!r}")


def _names(value: object, *, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f'{where} must be a list of class names in quotes, as in ["0", "1"], got {value!r}')
    return tuple(value)


def _table(value: object, *, where: str) -> dict[str, tuple[str, ...]]:
    match value:
        case dict():
            return {name: _names(members, where=f"{where}.{name}") for name, members in value.items()}
    raise ValueError(f"{where} must be a table of groups, as in [groups], got {value!r}")
