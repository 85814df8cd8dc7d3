"""Experiments as JSON: what a run's folder says of how it was made."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cattrs import BaseValidationError, Converter, transform_error
from cattrs.strategies import configure_tagged_union

from manyheads.experiments.experiment import AnyAttack, AnyBudget, Experiment
from manyheads.training import SGD, Adam, Constant, Cosine, OneCycle, StepDecay

PLACES = ("folder", "data_root", "data.root", "batch_size", "workers")
"""Where a run lies and how fast it goes: no result depends on these."""


def _converter() -> Converter:
    """Make a converter that writes the class of every value that could be of several."""
    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    for union in (AnyAttack, AnyBudget, SGD | Adam, Constant | StepDecay | Cosine | OneCycle):
        configure_tagged_union(union, converter, tag_name="kind")
    return converter


_CONVERTER = _converter()


def to_json(experiment: Experiment) -> str:
    """Write an experiment as indented JSON."""
    return json.dumps(_CONVERTER.unstructure(experiment), indent=2) + "\n"


def from_json(text: str, *, source: str = "the text") -> Experiment:
    """Read an experiment.

    Args:
        text: what `to_json` wrote.
        source: what an error calls it.

    Raises:
        ValueError: if it is no experiment.
    """
    try:
        return _CONVERTER.structure(json.loads(text), Experiment)
    except json.JSONDecodeError as error:
        raise ValueError(f"{source} is not JSON: {error}") from error
    except BaseValidationError as error:
        raise ValueError(f"{source} is not an experiment: {'; '.join(transform_error(error))}") from error


def differences(one: Experiment, other: Experiment) -> tuple[str, ...]:
    """List in what two experiments differ that decides a result, as `field: this, not that`."""
    first, second = _flat(_CONVERTER.unstructure(one)), _flat(_CONVERTER.unstructure(other))
    names = [name for name in {**first, **second} if name not in PLACES and first.get(name) != second.get(name)]
    return tuple(f"{name}: {first.get(name)}, not {second.get(name)}" for name in names)


def _flat(value: Any, *, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401 (JSON)
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {
        name: leaf
        for key, inner in value.items()
        for name, leaf in _flat(inner, prefix=f"{prefix}.{key}" if prefix else str(key)).items()
    }
