"""Ready-made label maps: those shipped with the package, a user's own file, and maps drawn at random."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import torch
from torch import Tensor

from manyheads.tasks.label_map import LabelMap
from manyheads.tasks.map_file import MapFile, read_map_file
from manyheads.tasks.suggestion import suggest

_SAME_CLASSES = {"digits": "mnist", "svhn": "mnist"}
"""Data sets whose classes are those of another: their maps are the other's files."""


def available() -> tuple[str, ...]:
    """Names of all shipped label maps.

    >>> "mnist/prime" in available()
    True
    """
    shipped = sorted(
        f"{folder.name}/{file.name.removesuffix('.toml')}"
        for folder in _shipped().iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    )
    aliases = [
        f"{alias}/{name.split('/')[1]}"
        for alias, data in _SAME_CLASSES.items()
        for name in shipped
        if name.startswith(f"{data}/")
    ]
    return tuple(sorted([*shipped, *aliases]))


def about(name: str) -> MapFile:
    """Tell where a shipped label map comes from, and which classes were placed by this project's own judgement.

    Raises:
        ValueError: if no shipped map has this name.

    >>> about("cifar10/habitat").ours
    {'land': ('frog',)}
    """
    if name not in available():
        raise ValueError(f"no label map is called {name!r}; {suggest(name, known=available())}")
    data, title = name.split("/")
    return read_map_file(_shipped() / _SAME_CLASSES.get(data, data) / f"{title}.toml")


def load(name: str, *, class_names: tuple[str, ...] | None = None) -> LabelMap:
    """Return a shipped label map.

    Args:
        name: data set and map, for example `mnist/prime`; `available()` lists them.
        class_names: the classes of your copy of the data set in the order of its labels, if that may differ from the
            usual one; the map then follows it.

    Raises:
        ValueError: if no shipped map has this name, or it is for other classes.

    >>> prime = load("mnist/prime")
    >>> [prime.names[group] for group in prime.groups][:4]
    ['composite', 'composite', 'prime', 'prime']
    """
    file = about(name)
    return file.label_map(file.classes if class_names is None else class_names)


def read(path: Path | str, *, class_names: tuple[str, ...]) -> LabelMap:
    """Read your own label map: a TOML file whose table `[groups]` lists class names group by group.

    Args:
        path: the file; its form is explained in `manyheads.tasks.map_file`, any shipped one is an example.
        class_names: all classes of the data set, in the order of their labels.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or a class in it is unknown, placed twice or forgotten.
    """
    return read_map_file(Path(path)).label_map(class_names)


def random(*, classes: int, groups: int, seed: int) -> LabelMap:
    """Draw a label map: one random class for each group, so that none is empty, then a random group for every other.

    Args:
        classes: how many classes are regrouped.
        groups: into how many groups; at least 2, fewer than the classes.
        seed: decides the draw.

    Raises:
        ValueError: if that many groups are not possible.

    >>> random(classes=5, groups=2, seed=0) == random(classes=5, groups=2, seed=0)
    True
    """
    generator = _generator(classes=classes, groups=groups, seed=seed)
    others = torch.randint(groups, (classes - groups,), generator=generator)
    return _shuffled(torch.cat([torch.arange(groups), others]), generator)


def balanced(*, classes: int, groups: int, seed: int) -> LabelMap:
    """Draw a label map whose groups differ in size by at most one class.

    Args:
        classes: how many classes are regrouped.
        groups: into how many groups; at least 2, fewer than the classes.
        seed: decides the draw.

    Raises:
        ValueError: if that many groups are not possible.

    >>> drawn = balanced(classes=7, groups=3, seed=0)
    >>> sorted(len(drawn.members(name)) for name in drawn.names)
    [2, 2, 3]
    """
    generator = _generator(classes=classes, groups=groups, seed=seed)
    order = torch.randperm(groups, generator=generator)
    return _shuffled(order[torch.arange(classes) % groups], generator)


def _generator(*, classes: int, groups: int, seed: int) -> torch.Generator:
    if not 2 <= groups < classes:
        raise ValueError(f"draw fewer groups than classes, and at least 2: got {groups} groups for {classes} classes")
    return torch.Generator().manual_seed(seed)


def _shuffled(groups: Tensor, generator: torch.Generator) -> LabelMap:
    """Give the groups to the classes in random order."""
    dealt = groups[torch.randperm(len(groups), generator=generator)]
    names = tuple(f"group {number}" for number in range(int(groups.max()) + 1))
    return LabelMap(names, tuple(dealt.tolist()))


def _shipped() -> Traversable:
    return files("manyheads.tasks") / "label_maps"
