"""Reports of finished runs: one page for one run, or for a study of many on the same data."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import polars as pl

from manyheads import __version__
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.finished import Finished, title, training
from manyheads.experiments.record import to_json
from manyheads.experiments.verdict import checked, reached, surfaces
from manyheads.reports import (
    ADAPTIVE,
    GRAY,
    Challenge,
    Exhibit,
    Printed,
    Provenance,
    ReportContents,
    Section,
    accuracy_section,
    cautions,
    eps_section,
    findings,
    gain_section,
    gallery_section,
    hidden_section,
    load_exhibit,
    rejection_section,
    sanity_section,
    training_section,
    write_report,
)


def report(
    finished: Finished, path: Path, *, heading: str, main: Printed | None = None, hidden: Printed | None = None
) -> None:
    """Write the page of some runs on one data set.

    Args:
        finished: the runs.
        path: where the page goes.
        heading: its title.
        main: a paper's accuracies of the main task, to stand beside ours.
        hidden: a paper's accuracies of the hidden tasks.
    """
    results = finished.results
    histories = {
        title(one): pl.read_parquet(files.history)
        for one, files in zip(finished.experiments, finished.runs, strict=True)
    }
    sections = (
        gain_section(finished.gains, results),
        sanity_section(checked(finished), surfaces(finished)),
        accuracy_section(results, printed=main),
        rejection_section(results),
        hidden_section(results, printed=hidden),
        eps_section(finished.everything),
        gallery_section(_exhibits(finished)),
        training_section(histories),
    )
    contents = ReportContents(
        title=heading,
        findings=findings(results),
        cautions=cautions(results),
        sections=tuple(section for section in sections if isinstance(section, Section)),
        provenance=_provenance(finished),
        verdicts=reached(finished),
    )
    write_report(path, contents)


def _exhibits(finished: Finished) -> tuple[Exhibit, ...]:
    """Galleries of the model with most hidden tasks, for each training: gray-box and adaptive."""
    richest = {training(one): place for place, one in enumerate(finished.experiments)}
    for place, one in enumerate(finished.experiments):
        if len(one.hidden) > len(finished.experiments[richest[training(one)]].hidden):
            richest[training(one)] = place
    return tuple(
        exhibit
        for place in richest.values()
        for exhibit in _exhibits_of(finished.experiments[place], finished.runs[place])
    )


def _exhibits_of(experiment: Experiment, files: RunFiles) -> list[Exhibit]:
    names = files.read_guard().class_names
    shown = []
    for trial_name, trial in experiment.trials.items():
        challenge = Challenge(attack=trial_name, norm=type(trial.budget).__name__, eps=float(trial.budget.eps))
        for threat in (GRAY, ADAPTIVE):
            path = files.gallery_of(threat, trial=trial_name, eps=challenge.eps)
            if path.exists():
                shown.append(
                    load_exhibit(
                        path,
                        model=title(experiment),
                        threat=threat,
                        challenge=challenge,
                        main=experiment.main,
                        class_names=names,
                    )
                )
    return shown


def _provenance(finished: Finished) -> Provenance:
    records: Mapping[str, object] = {title(one): json.loads(to_json(one)) for one in finished.experiments}
    guards = {title(one): files.read_guard() for one, files in zip(finished.experiments, finished.runs, strict=True)}
    return Provenance(
        experiments=records,
        versions={"manyheads": __version__, **{name: version(name) for name in ("torch", "numpy")}},
        seeds=tuple(sorted({one.seed for one in finished.experiments})),
        date=finished.date,
        commit=next(iter(guards.values())).commit,
        parameters={name: (record.shared, sum(record.private.values())) for name, record in guards.items()},
    )


def runs_in(folder: Path) -> tuple[RunFiles, ...]:
    """List the classifiers' runs in a folder and below, as a study has them: plain first, few hidden tasks first.

    Raises:
        FileNotFoundError: if there is no run, of whatever kind.
    """
    found = {RunFiles(path.parent): path.stat().st_mtime for path in folder.rglob("experiment.json")}
    if not found:
        raise FileNotFoundError(f"{folder} holds no run: there is no experiment.json in it or below")
    experiments = {files: one for files in found if isinstance(one := files.read(), Experiment)}
    if not experiments:
        return ()
    richest = list(max(experiments.values(), key=lambda one: len(one.hidden)).hidden)

    def place(files: RunFiles) -> tuple[bool, int, list[int], float]:
        one = experiments[files]
        known = [richest.index(name) for name in one.hidden if name in richest]
        return one.training.hardening is not None, len(one.hidden), known, found[files]

    return tuple(sorted(experiments, key=place))


def by_data(runs: Sequence[RunFiles]) -> dict[str, Finished]:
    """Sort finished runs by their data set; runs that are still going are left out."""
    sorted_runs: dict[str, list[RunFiles]] = {}
    for files in runs:
        if files.scores.exists():
            sorted_runs.setdefault(files.read_as(Experiment).data.name, []).append(files)
    return {data: Finished(tuple(members)) for data, members in sorted_runs.items()}
