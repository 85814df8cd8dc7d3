"""The experiments of a study: listed once each, run wherever the user wants, and known when they are finished."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from manyheads.experiments import (
    AnyExperiment,
    Bars,
    RayCluster,
    RunFiles,
    differences,
    ray_sweep,
    sweep,
)

_OneKind = TypeVar("_OneKind", bound=AnyExperiment)


def carry_out(
    members: Sequence[AnyExperiment], bars: Bars, *, jobs: int = 1, ray: RayCluster | None = None
) -> tuple[RunFiles, ...]:
    """Run what has not been run yet, here or on Ray, and return the files of all.

    Args:
        members: the experiments.
        bars: where progress is shown.
        jobs: how many experiments run at once; on Ray, its cluster says so.
        ray: run them on Ray instead.

    Raises:
        ImportError: if Ray is wanted and cannot be imported.
        ValueError: if an experiment cannot be carried out.
    """
    return sweep(members, bars, jobs=jobs) if ray is None else ray_sweep(members, bars, cluster=ray)


def each_once(experiments: Iterable[_OneKind]) -> tuple[_OneKind, ...]:
    """Keep one experiment of every name, in the order in which the names come up first."""
    return tuple({experiment.name: experiment for experiment in experiments}.values())


def all_finished(members: Sequence[AnyExperiment]) -> bool:
    """Tell whether all runs are there, and are those that would be made today."""
    files = [RunFiles(experiment.run) for experiment in members]
    return all(one.scores.exists() for one in files) and not any(
        differences(one.read(), experiment) for one, experiment in zip(files, members, strict=True)
    )


def refuse_unclear_seeds(seeds: Sequence[int]) -> None:
    """Make sure that there is a seed, and each stands once.

    Raises:
        ValueError: if not.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"a study has at least one seed, and each once, got {list(seeds)}")
