"""Experiments as JSON: what a run's folder says of how it was made."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cattrs import BaseValidationError, Converter, transform_error
from cattrs.strategies import configure_tagged_union
from cattrs.v import format_exception

from manyheads.experiments.balance import AnyCombine, Indifferent
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_trial import DenseAttack
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.generative_experiment import (
    AnyExperiment,
    AnyVictim,
    GenerativeExperiment,
    ReferenceAttack,
)
from manyheads.experiments.trial import AnyAttack, AnyBudget, InnerAttack
from manyheads.training import SGD, Adam, Constant, Cosine, OneCycle, StepDecay

PLACES = (
    "folder", "data_root", "data.root", "scenes.root", "batch_size", "workers", "fabric.devices", "fabric.accelerator",
)  # fmt: skip
"""Where a run lies and how fast it goes, and so what may change when it goes on; those of a generator's victims too.

What was measured depends on none of these, and what was trained on the devices by no more than rounding, but for batch
normalisation, which sees the part of a batch that its process has.
"""

KINDS: Mapping[str, type[AnyExperiment]] = {
    "classifier": Experiment,
    "dense": DenseExperiment,
    "generative": GenerativeExperiment,
}
"""The kinds of experiments; a record that does not say its `kind` is of the first."""


def _converter() -> Converter:
    """Make a converter that writes the class of every value that could be of several."""
    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    schedules = Constant | StepDecay | Cosine | OneCycle
    # Victims come last: they hold all the others.
    combines = (AnyCombine, Indifferent)
    attacks = (AnyAttack, InnerAttack, DenseAttack, ReferenceAttack)
    for union in (*attacks, AnyBudget, SGD | Adam, schedules, *combines, AnyVictim):
        configure_tagged_union(union, converter, tag_name="kind")
    return converter


_CONVERTER = _converter()


def to_json(experiment: AnyExperiment) -> str:
    """Write an experiment as indented JSON.

    Raises:
        ValueError: if it holds something that is not of this package, such as an attack of one's own.
    """
    return json.dumps(_plain(experiment), indent=2) + "\n"


def from_json(text: str, *, source: str = "the text") -> AnyExperiment:
    """Read an experiment.

    Args:
        text: what `to_json` wrote.
        source: what an error calls it.

    Raises:
        ValueError: if it is no experiment.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{source} is not JSON: {error}") from error
    match content:
        case dict():
            return _structured(content, source=source)
    raise ValueError(f"{source} is not an experiment: expected an object, found {json.dumps(content)[:40]}")


def _structured(content: dict[str, Any], *, source: str) -> AnyExperiment:
    named = content.pop("kind", "classifier")
    if named not in KINDS:
        raise ValueError(f"{source} is not an experiment of a kind that is known here, {', '.join(KINDS)}: {named!r}")
    try:
        return _CONVERTER.structure(content, KINDS[named])
    except BaseValidationError as error:
        faults = "; ".join(transform_error(error, format_exception=_fault))
        raise ValueError(f"{source} is not an experiment: {faults}") from error


def differences(one: AnyExperiment, other: AnyExperiment) -> tuple[str, ...]:
    """List in what two experiments differ that decides a result, as `field: this, not that`."""
    if type(one) is not type(other):
        return (f"kind: {type(one).__name__}, not {type(other).__name__}",)
    first, second = _flat(_plain(one)), _flat(_plain(other))
    names = [name for name in {**first, **second} if not _is_place(name) and first.get(name) != second.get(name)]
    listed = [f"{name}: {first.get(name)}, not {second.get(name)}" for name in names]
    hidden, others = (list(_plain(each).get("hidden", ())) for each in (one, other))
    if not listed and hidden != others:  # their order decides the initial weights
        listed.append(f"hidden: {', '.join(hidden)}, not {', '.join(others)}")
    return tuple(listed)


def _is_place(name: str) -> bool:
    """Tell whether an entry, perhaps one of a generator's victim, is one that decides no result."""
    whole, _, inner = name.partition(".")
    own = inner.partition(".")[2] if whole in {"victims", "transfers"} else name
    return own in PLACES


def _plain(experiment: AnyExperiment) -> dict[str, Any]:
    named = {kind: name for name, kind in KINDS.items()}[type(experiment)]
    kind = {} if named == "classifier" else {"kind": named}  # classifiers' records came before kinds
    try:
        return kind | _CONVERTER.unstructure(experiment)
    except KeyError as error:
        named = ", ".join(getattr(kind, "__name__", str(kind)) for kind in error.args)
        raise ValueError(
            f"{named} cannot stand in an experiment, which is kept as plain data; take a class of this package there, "
            "or call fit and evaluate yourself"
        ) from error


def _fault(error: BaseException, kind: Any) -> str:  # noqa: ANN401 (a union or a literal is no type)
    """Say what is wrong with one entry; our own refusals speak for themselves."""
    match error:
        case KeyError():
            return f"{error} is missing, or not known here"
        case ValueError():
            return str(error)
    return format_exception(error, kind)


def _flat(value: Any, *, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401 (JSON)
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {
        name: leaf
        for key, inner in value.items()
        for name, leaf in _flat(inner, prefix=f"{prefix}.{key}" if prefix else str(key)).items()
    }
