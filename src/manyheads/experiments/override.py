"""Overrides: exchange a part of an experiment for one of another kind, such as another optimiser or attack."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.generative_experiment import AnyExperiment, GenerativeExperiment
from manyheads.tasks import suggest

Kind = TypeVar("Kind", Experiment, DenseExperiment, GenerativeExperiment)
"""An experiment of any kind."""

Entry = TypeVar("Entry")
"""Anything that has a name."""

_LISTED = ("hidden", "weights")
"""Mappings that the command line lists from the beginning, entry by entry."""


def hyphened(experiment: Kind) -> Kind:
    """Give trials names without blanks, as the command line's options have them; `blanked` takes it back.

    The trials of a generator's victims, runs of their own, keep their names.
    """
    match experiment:
        case GenerativeExperiment():
            return experiment
        case Experiment() | DenseExperiment():
            return _renamed(experiment, {name: name.replace(" ", "-") for name in experiment.trials})


def blanked(experiment: Kind, original: Kind) -> Kind:
    """Give trials the names with blanks that they have in the experiment before `hyphened`."""
    match original:
        case GenerativeExperiment():
            return experiment
        case Experiment() | DenseExperiment():
            return _renamed(experiment, {name.replace(" ", "-"): name for name in original.trials})


def _renamed(experiment: Kind, names: Mapping[str, str]) -> Kind:
    match experiment:
        case Experiment(sweep_trial=one):
            return replace(experiment, trials=_with(experiment.trials, names), sweep_trial=names.get(one, one))
        case DenseExperiment(sweep_trials=several):
            swept = tuple(names.get(one, one) for one in several)
            return replace(experiment, trials=_with(experiment.trials, names), sweep_trials=swept)
        case GenerativeExperiment():
            return experiment


def _with(trials: Mapping[str, Entry], names: Mapping[str, str]) -> dict[str, Entry]:
    return {names.get(name, name): trial for name, trial in trials.items()}


def kinds(experiment: AnyExperiment) -> dict[str, tuple[str, ...]]:
    """List the parts of an experiment that may be of several kinds: the names of the kinds, by the part's dotted path.

    >>> kinds(Experiment("plain"))["training.optimizer"]
    ('SGD', 'Adam')
    """
    return {path: tuple(named) for path, named in _choices(experiment)}


def exchange(experiment: Kind, *, path: str, kind: str) -> Kind:
    """Replace a part by one of another kind: what both kinds have stays as it is, the rest gets its defaults.

    Args:
        experiment: the experiment.
        path: dotted path of the part, for example `training.optimizer`.
        kind: name of the kind, for example `SGD`.

    Raises:
        ValueError: if no such part may be of several kinds, there is no such kind, or what stays does not suit it.

    >>> exchange(Experiment("plain"), path="training.optimizer", kind="SGD").training.optimizer
    SGD(learning_rate=0.001, momentum=0.9, weight_decay=0.0)
    """
    choices = dict(_choices(experiment))
    if path not in choices:
        raise ValueError(f"{path!r} is no part that may be of several kinds; {suggest(path, known=choices)}")
    if kind not in choices[path]:
        raise ValueError(f"{path} cannot be {kind!r}; {suggest(kind, known=choices[path])}")
    return _replaced(experiment, path.split("."), kind=choices[path][kind])


def exchange_all(experiment: Kind, words: Sequence[str]) -> tuple[Kind, list[str]]:
    """Carry out those command-line words that exchange a part, and return the words that are left.

    `--training.optimizer SGD` exchanges a part, also with `=` between; `--hidden NAME MAP ...` begins with no hidden
    task, whatever the recipe has; so does `--weights TASK WEIGHT ...` with no weight.

    Raises:
        ValueError: if a part or kind is not there, or its name is missing.
    """
    waiting, left = list(words), []
    while waiting:
        word = waiting.pop(0)
        path, given, kind = word.removeprefix("--").partition("=")
        if word.startswith("--") and path in (known := kinds(experiment)):
            if not given and not waiting:
                raise ValueError(f"{word} needs the name of a kind: {', '.join(known[path])}")
            experiment = exchange(experiment, path=path, kind=kind if given else waiting.pop(0))
            continue
        if word.startswith("--") and path in _LISTED and hasattr(experiment, path):
            experiment = replace(experiment, **{path: {}})
        left.append(word)
    return experiment, left


def _choices(part: Any, *, prefix: str = "") -> Iterator[tuple[str, dict[str, type | None]]]:  # noqa: ANN401 (any value)
    """Walk over the parts that may be of several kinds: dotted path, and the kinds by name."""
    for name, hint in get_type_hints(type(part)).items():
        members = get_args(hint) if isinstance(hint, UnionType) else ()
        if any(is_dataclass(member) for member in members):
            yield f"{prefix}{name}", {_name(member): None if member is type(None) else member for member in members}
        value = getattr(part, name)
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, entry in inner:
            if is_dataclass(entry):
                yield from _choices(entry, prefix=f"{prefix}{name}.{key}." if key else f"{prefix}{name}.")


def _name(kind: type) -> str:
    return "None" if kind is type(None) else kind.__name__


def _replaced(part: Any, keys: Sequence[str], *, kind: type | None) -> Any:  # noqa: ANN401 (any value)
    """Rebuild a value with the part at the end of the keys exchanged."""
    if not keys:
        return None if kind is None else _taken_over(part, kind)
    first, *rest = keys
    if isinstance(part, Mapping):
        return {**part, first: _replaced(part[first], rest, kind=kind)}
    return replace(part, **{first: _replaced(getattr(part, first), rest, kind=kind)})


def _taken_over(old: Any, kind: type) -> Any:  # noqa: ANN401 (any value)
    common = {field.name: getattr(old, field.name) for field in fields(kind) if hasattr(old, field.name)}
    try:
        return kind(**common)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{old} cannot become {kind.__name__}: {error}") from error
