"""What a model of somebody's own is put through: data, tasks and attacks, from what a command line can say."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import get_args

from torch import nn

from manyheads.attacks import (
    APGD,
    FAB,
    FGSM,
    MIM,
    PGD,
    Attack,
    Fast,
    Noise,
    Raising,
    Restarts,
    Square,
    standard_ensemble,
)
from manyheads.data import Source, Streamed, list_classes
from manyheads.data.image_folder import TEST_FOLDERS
from manyheads.experiments.experiment import Data, DataName, Experiment
from manyheads.experiments.foreign import ForeignTrial
from manyheads.experiments.materials import make_tasks, read_split
from manyheads.experiments.trial import Search
from manyheads.reports import STANDARD_ENSEMBLE
from manyheads.tasks import Task, suggest
from manyheads.threats import L1, L2, Budget, Linf, Margin, TaskLoss, ThreatModel
from manyheads.threats.knowledge import GRAY, NOISE, WHITE

NORMS: Mapping[str, type[Linf] | type[L2] | type[L1]] = {"linf": Linf, "l2": L2, "l1": L1}
"""Budgets by the names of their norms."""

_NAMED: tuple[DataName, ...] = tuple(one for one in get_args(DataName) if one != "image_folder")

NEED_NO_GRADIENT = frozenset({"noise", "square"})
"""Attacks that look at answers alone, or at nothing."""


@dataclass(frozen=True)
class Effort:
    """How long attacks search, and on what; the standard ensemble has its own numbers.

    Args:
        steps: of attacks that climb.
        restarts: how often those start that begin at random.
        queries: of attacks that look at answers alone.
        search: `fast` searches on a faster copy of the model (`manyheads.attacks.Fast`).

    Raises:
        ValueError: if a number is below one.
    """

    steps: int = 40
    restarts: int = 1
    queries: int = 5000
    search: Search = "plain"

    def __post_init__(self) -> None:
        """Refuse not to search."""
        for name in ("steps", "restarts", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} has to be 1 or more, got {getattr(self, name)}")


def foreign_data(name: str, *, root: Path | None = None, size: int | None = None) -> Source:
    """Open the images on which a model is measured: the test split of a known data set, or a folder of one's own.

    A folder holds one folder per class, or `test` (or `val`, `validation`) does; all images of it are taken.

    Args:
        name: of a data set, or a folder's path.
        root: the folder that holds the data set.
        size: side length in pixels to which images are resized, where their size is open.

    Raises:
        ValueError: if there is no such data set or folder, or the data is not as it should be.
    """
    known: DataName | None = next((one for one in _NAMED if one == name), None)
    if known is not None:
        return read_split(Experiment("foreign", data=Data(known, root=root, size=size)), split="test")
    folder = Path(name)
    if not folder.is_dir():
        hint = suggest(name, known=_NAMED)
        raise ValueError(f"{name!r} is neither a folder of images nor a data set; {hint}")
    if root is not None:
        raise ValueError(f"{name} is a folder of images itself; leave --data-root out")
    held_out = next((folder / one for one in TEST_FOLDERS if (folder / one).is_dir()), folder)
    return Streamed(list_classes(held_out), size=32 if size is None else size)


def foreign_tasks(main: str, *, hidden: Mapping[str, str], class_names: tuple[str, ...]) -> tuple[Task, ...]:
    """Make the tasks that a model answers, main task first.

    Args:
        main: name of the task whose classes are those of the data.
        hidden: further tasks, each by its name and a label map.
        class_names: names of the classes of the data.

    Raises:
        FileNotFoundError: if a label map's file is not there.
        ValueError: if a name is none, or a label map is unknown or does not fit the classes.
    """
    return make_tasks(Experiment("foreign", main=main, hidden=hidden), class_names=class_names)


def budget_of(norm: str, *, eps: str) -> Budget:
    """Read a budget.

    Args:
        norm: one of `NORMS`.
        eps: its size in [0, 1] pixel units, as a number or a fraction.

    Raises:
        ValueError: if the size is no number above zero, or of an L-infinity budget above one.

    >>> budget_of("l2", eps="0.5"), budget_of("linf", eps="8/255") == Linf(8 / 255)
    (L2(eps=0.5), True)
    """
    try:
        size = float(Fraction(eps))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"eps is a number or a fraction, such as 0.3 or 8/255, got {eps!r}") from error
    if size <= 0 or (norm == "linf" and size > 1):
        raise ValueError(f"eps is above zero and in [0, 1] pixel units, got {eps}; write 8/255, not 8")
    return NORMS[norm](size)


def foreign_trials(
    names: Sequence[str], *, model: nn.Module, tasks: Sequence[Task], budget: Budget, effort: Effort
) -> tuple[ForeignTrial, ...]:
    """Make the trials of some attacks, in the order in which they are named.

    A model with one head is attacked white-box: all of it is known. One with several is attacked through its main head
    (gray-box) and through all heads together (white-box); attacks that look at nothing but who wins, and noise, are
    run once.

    Args:
        names: of `ATTACKS`.
        model: the victim.
        tasks: its tasks, main task first.
        budget: which images are allowed.
        effort: how long attacks search.

    Raises:
        ValueError: if there is no such attack.
    """
    main = tasks[0]
    aims = {WHITE: {task.name: 1.0 for task in tasks}} | ({GRAY: {main.name: 1.0}} if len(tasks) > 1 else {})
    trials = []
    for name in dict.fromkeys(names):
        if name not in ATTACKS:
            raise ValueError(f"no attack is called {name!r}; {suggest(name, known=ATTACKS)}")
        knowing = {NOISE: {main.name: 1.0}} if name == "noise" else aims
        if name in _ONCE:
            knowing = {WHITE: {main.name: 1.0}}
        attack = ATTACKS[name](main, budget, effort)
        searching = Fast(attack) if effort.search == "fast" and name != "noise" else attack
        title = STANDARD_ENSEMBLE if name == "standard" else name
        for threat, weights in knowing.items():
            objective = TaskLoss(tasks, weights)
            who = ThreatModel(
                name=threat, model=model, tasks=tasks, objective=objective, budget=budget, success=Margin(main)
            )
            trials.append(ForeignTrial(title, who, searching))
    return tuple(trials)


_ONCE = frozenset({"fab", "square", "standard"})
"""Attacks that look at who wins, not at what the threat model raises."""


def _step_size(budget: Budget, effort: Effort) -> float:
    """Length of a step that can cross the budget (Madry et al., ICLR 2018: 2.5 eps / steps)."""
    return 2.5 * budget.eps / effort.steps if math.isfinite(budget.eps) else 0.01


def _restarted(attack: Attack, effort: Effort) -> Attack:
    return Restarts(attack, times=effort.restarts) if effort.restarts > 1 else attack


def _noise(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return Noise()


def _fgsm(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return FGSM()


def _pgd(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return _restarted(PGD(effort.steps, _step_size(budget, effort)), effort)


def _mim(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return MIM(effort.steps, _step_size(budget, effort))


def _apgd(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return _restarted(APGD(effort.steps), effort)


def _fab(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return FAB(effort.steps)


def _square(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return Raising(Square(effort.queries), Margin(main))


def _standard(main: Task, budget: Budget, effort: Effort) -> Attack:  # noqa: ARG001 (all makers look alike)
    return standard_ensemble(main, restarts=5 if isinstance(budget, L1) else 1)


ATTACKS: Mapping[str, Callable[[Task, Budget, Effort], Attack]] = {
    "noise": _noise,
    "fgsm": _fgsm,
    "pgd": _pgd,
    "mim": _mim,
    "apgd": _apgd,
    "fab": _fab,
    "square": _square,
    "standard": _standard,
}
"""Makers of attacks, by name, from the main task, the budget and the effort; `standard` knows no effort but its own."""
