"""Reports of finished runs: one page for one run, or for a study of many on the same data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import polars as pl

from manyheads import __version__
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.record import to_json
from manyheads.reports import (
    ADAPTIVE,
    GRAY,
    WHITE,
    Challenge,
    Exhibit,
    Printed,
    Provenance,
    ReportContents,
    Results,
    Section,
    accuracy_section,
    cautions,
    eps_section,
    findings,
    gallery_section,
    hidden_section,
    load_exhibit,
    rejection_section,
    training_section,
    write_report,
)


@dataclass(frozen=True, eq=False)
class Finished:
    """Finished runs on one data set, ready to be reported together.

    Args:
        runs: their folders, in the order of the tables.

    Raises:
        ValueError: if there is none, one has no scores yet, or two are of one combination and training.
    """

    runs: tuple[RunFiles, ...]

    def __post_init__(self) -> None:
        """Refuse what has nothing to report, and what no table could tell apart."""
        if not self.runs:
            raise ValueError("a report needs at least one finished run, got none")
        unfinished = [str(files.folder) for files in self.runs if not files.scores.exists()]
        if unfinished:
            raise ValueError(f"these runs have no scores yet: {', '.join(unfinished)}; run them first")
        places: dict[str, Path] = {}
        for one, files in zip(self.experiments, self.runs, strict=True):
            if title(one) in places:
                raise ValueError(
                    f"{places[title(one)]} and {files.folder} both hold a model {title(one)!r}, which no table could "
                    "tell apart; report each by itself"
                )
            places[title(one)] = files.folder

    @cached_property
    def experiments(self) -> tuple[Experiment, ...]:
        """What was run."""
        return tuple(files.read_experiment() for files in self.runs)

    @property
    def date(self) -> str:
        """Day on which the last of them was finished (UTC)."""
        when = max(files.scores.stat().st_mtime for files in self.runs)
        return datetime.fromtimestamp(when, tz=UTC).date().isoformat()

    @cached_property
    def everything(self) -> Results:
        """All scores, those over a range of eps included.

        A model without hidden tasks has the same white-box numbers as gray-box ones: all its heads are the main head.
        """
        parts = []
        for one, files in zip(self.experiments, self.runs, strict=True):
            scores = pl.read_parquet(files.scores).with_columns(pl.lit(title(one)).alias("model"))
            parts.append(scores)
            if not one.hidden:
                parts.append(scores.filter(threat=GRAY).with_columns(pl.lit(WHITE).alias("threat")))
        rows = [(title(one), combination(one), training(one)) for one in self.experiments]
        models = pl.DataFrame(rows, schema=["model", "combination", "training"], orient="row")
        return Results(pl.concat(parts), models)

    @cached_property
    def results(self) -> Results:
        """The scores of the trials at their own budgets."""
        budgets = [
            (title(one), name, float(trial.budget.eps))
            for one in self.experiments
            for name, trial in one.trials.items()
        ]
        own = pl.DataFrame(budgets, schema=["model", "attack", "eps"], orient="row")
        scores = self.everything.scores.join(own, on=["model", "attack", "eps"], how="semi", maintain_order="left")
        return Results(scores, self.everything.models)


def title(experiment: Experiment) -> str:
    """Short name of a model among those on the same data."""
    return f"{combination(experiment)} {training(experiment)}"


def combination(experiment: Experiment) -> str:
    """Name of a model's combination of tasks."""
    return "+".join(["main", *experiment.hidden])


def training(experiment: Experiment) -> str:
    """Name of a model's kind of training."""
    return "plain" if experiment.training.hardening is None else "hardened"


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
        seed=finished.experiments[0].seed,
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
            sorted_runs.setdefault(files.read_experiment().data.name, []).append(files)
    return {data: Finished(tuple(members)) for data, members in sorted_runs.items()}
