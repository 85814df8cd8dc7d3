"""Sweeps on Ray: many experiments on the processors of one machine or of a cluster, one experiment per task."""

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manyheads.experiments.files import RunFiles
from manyheads.experiments.generative_experiment import AnyExperiment
from manyheads.experiments.progress import Advance, Bars
from manyheads.experiments.relay import followed
from manyheads.experiments.sweep import (
    refuse_several_processes,
    refuse_shared_folders,
    run_alone,
    victims_of,
)

LOCAL = "local"
"""The address of a cluster that is started on this machine, and ends with the sweep."""


@dataclass(frozen=True, kw_only=True)
class RayCluster:
    """Where experiments run, and what each of them occupies there.

    Args:
        address: `local` for a cluster of this sweep's own on this machine; else one that is running already, as
            `ray.init` takes it: `auto` for the one this machine belongs to, `ray://host:port` for another.
        at_once: how many experiments a local cluster runs at once; None for as many as the machine has processors for.
        cpus: processors of one experiment; it computes on so many threads.
        gpus: GPUs of one experiment; a fraction shares one.
        retries: how many times an experiment is begun again after its worker was lost; it goes on where it was.

    Raises:
        ValueError: if a number is out of range, or an existing cluster is told how many to run at once.
    """

    address: str = LOCAL
    at_once: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    retries: int = 3

    def __post_init__(self) -> None:
        """Refuse what Ray would wait for forever."""
        if self.cpus < 1 or self.gpus < 0 or self.retries < 0:
            raise ValueError(f"an experiment needs a processor, GPUs and retries from 0 on, got {self}")
        if self.at_once is not None and (self.at_once < 1 or self.address != LOCAL):
            raise ValueError(
                f"a cluster of one's own runs at least one experiment at once, and one that is there already "
                f"({LOCAL!r} is not) decides that by its resources; got at_once={self.at_once} at {self.address!r}"
            )


def ray_sweep(experiments: Sequence[AnyExperiment], shown: Bars, *, cluster: RayCluster) -> tuple[RunFiles, ...]:
    """Run experiments on Ray and return their files, in the order of the experiments.

    What was run already is not run again; victims of generators are run first. Results are those of `sweep`: every
    random number depends on the experiment alone. All machines of a cluster must have this package, and see the current
    folder and those of runs and data under the same paths. The first experiment that fails stops all; call it again to
    go on. An experiment whose worker is lost goes on in another, from its last finished epoch or attack.

    Args:
        experiments: what to run; each in a folder of its own.
        shown: where progress is shown.
        cluster: where they run.

    Raises:
        ImportError: if Ray cannot be imported.
        ValueError: if two experiments share a folder, one asks for several processes, or one cannot be carried out.
        FileNotFoundError: if an experiment was finished where this machine does not see it.
        ChildProcessError: if an experiment lost more workers than it may.
    """
    refuse_shared_folders(experiments)
    refuse_several_processes(experiments)
    ray = _ray()
    ray.init(**_connection(cluster))
    try:
        task = ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=cluster.retries)(_run_there)
        for members in (part for part in (victims_of(experiments), experiments) if part):
            pending = {task.remote(one, folder=Path.cwd(), threads=cluster.cpus): one for one in members}
            told = [RunFiles(one.run).progress for one in members]
            with shown.bar(f"{len(members)} experiments on Ray") as advance, followed(told, shown):
                _collect(ray, pending, shown, advance=advance)
    finally:
        ray.shutdown()
    return tuple(_visible(RunFiles(one.run)) for one in experiments)


def _collect(ray: Any, pending: dict[Any, AnyExperiment], shown: Bars, *, advance: Advance) -> None:  # noqa: ANN401
    """Wait for all."""
    open_tasks, count = list(pending), len(pending)
    try:
        while open_tasks:
            (done,), open_tasks = ray.wait(open_tasks, num_returns=1)
            _finish(ray, done, name=pending[done].name)
            shown.say(f"finished {pending[done].name}")
            advance(1 - len(open_tasks) / count)
    finally:
        for task in open_tasks:
            ray.cancel(task)


def _finish(ray: Any, done: Any, *, name: str) -> None:  # noqa: ANN401
    """Raise an error of an experiment as itself, without Ray's account of where it happened."""
    try:
        ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0]
        raise ChildProcessError(
            f"{name} lost its worker once more than it may ({reason}); call the same command again to go on"
        ) from error


def _run_there(experiment: AnyExperiment, *, folder: Path, threads: int) -> None:
    """Run one experiment in a worker, from this folder, so that relative paths mean what they mean to the caller."""
    os.chdir(folder)
    run_alone(experiment, threads=threads)


def _connection(cluster: RayCluster) -> dict[str, Any]:
    """Say to which cluster to connect; one of our own has neither dashboard nor report of its use to Ray's makers."""
    if cluster.address != LOCAL:
        return {"address": cluster.address, "log_to_driver": False}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    counted = {} if cluster.at_once is None else {"num_cpus": cluster.at_once * cluster.cpus}
    return {"address": LOCAL, "include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR", **counted}


def _visible(files: RunFiles) -> RunFiles:
    if not files.scores.exists():
        raise FileNotFoundError(
            f"{files.folder} was finished on another machine and is not here; all machines of a cluster must see the "
            "folder of runs under the same path"
        )
    return files


def _ray() -> Any:  # noqa: ANN401 (a module of a library that may be absent)
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ImportError(f"this sweep needs Ray ({error}); pip install 'manyheads[ray]'") from error
