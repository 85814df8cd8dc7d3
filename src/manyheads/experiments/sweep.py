"""Sweeps: many experiments, one after another or several at once."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import torch

from manyheads.experiments.files import RunFiles
from manyheads.experiments.generative_experiment import AnyExperiment, AnyVictim, GenerativeExperiment
from manyheads.experiments.progress import Advance, Bars
from manyheads.experiments.record import differences
from manyheads.experiments.relay import ToldBars, followed
from manyheads.experiments.run import run


def sweep(experiments: Sequence[AnyExperiment], shown: Bars, *, jobs: int = 1) -> tuple[RunFiles, ...]:
    """Run experiments and return their files, in the order of the experiments.

    Victims of generators are run first, each once, however many attack it. The first that fails stops those that have
    not begun; those that are going end first. A script that asks for several jobs needs `if __name__ == "__main__":`
    around its work, since each process imports it.

    Args:
        experiments: what to run; each in a folder of its own.
        shown: where progress is shown.
        jobs: how many run at once, each in a process and on one thread of its own.

    Raises:
        ValueError: if two experiments share a folder, jobs is below one, several jobs are asked for and an experiment
            wants several processes for itself, or an experiment cannot be carried out.
    """
    refuse_shared_folders(experiments)
    if jobs < 1:
        raise ValueError(f"at least one job has to run, got jobs={jobs}")
    if jobs == 1:
        return tuple(run(experiment, shown).files for experiment in experiments)
    refuse_several_processes(experiments)
    victims = victims_of(experiments)
    if victims:
        sweep(victims, shown, jobs=jobs)
    files = tuple(RunFiles(experiment.run) for experiment in experiments)
    told = [one.progress for one in files]
    with shown.bar(f"{len(experiments)} experiments, {jobs} at once") as advance, followed(told, shown):
        _all_at_once(experiments, shown, jobs=jobs, advance=advance)
    return files


def victims_of(experiments: Sequence[AnyExperiment]) -> tuple[AnyVictim, ...]:
    """List the victims that the generators among some experiments attack, each run once.

    Raises:
        ValueError: if two that differ share a folder.
    """
    generators = [experiment for experiment in experiments if isinstance(experiment, GenerativeExperiment)]
    victims: dict[str, AnyVictim] = {}
    for victim in (victim for one in generators for victim in one.victim_runs.values()):
        other = differences(victims.setdefault(str(victim.run), victim), victim)
        if other:
            raise ValueError(f"two victims would share {victim.run} ({'; '.join(other)}); give each its own name")
    return tuple(victims.values())


def refuse_shared_folders(experiments: Sequence[AnyExperiment]) -> None:
    """Make sure that every experiment has a folder of its own.

    Raises:
        ValueError: if two share one.
    """
    folders = [experiment.run for experiment in experiments]
    shared = sorted({str(folder) for folder in folders if folders.count(folder) > 1})
    if shared:
        raise ValueError(f"two experiments would share {', '.join(shared)}; give each its own name")


def refuse_several_processes(experiments: Sequence[AnyExperiment]) -> None:
    """Make sure that every experiment is content with one process.

    Experiments that run at once share the processors already, and would take each other's devices.

    Raises:
        ValueError: if one asks for several.
    """
    asking = [one.name for one in experiments if one.fabric.devices > 1]
    if asking:
        raise ValueError(
            f"experiments that run at once have one process each, but {', '.join(asking)} asks for several; set "
            "fabric.devices to 1, or run one after another, without jobs and Ray"
        )


def _all_at_once(experiments: Sequence[AnyExperiment], shown: Bars, *, jobs: int, advance: Advance) -> None:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        pending = {pool.submit(run_alone, experiment): experiment for experiment in experiments}
        try:
            for done, future in enumerate(as_completed(pending), start=1):
                future.result()
                shown.say(f"finished {pending[future].name}")
                advance(done / len(experiments))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def run_alone(experiment: AnyExperiment, *, threads: int = 1) -> None:
    """Run one experiment in a process of its own, and tell the run's file of progress what it is doing.

    Args:
        experiment: what to run.
        threads: how many threads it computes on.
    """
    torch.set_num_threads(threads)
    run(experiment, ToldBars(RunFiles(experiment.run).progress))
