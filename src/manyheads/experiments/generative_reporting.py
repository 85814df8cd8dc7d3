"""Reports of finished generative runs: one page for one run."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import polars as pl

from manyheads import __version__
from manyheads.experiments.dense_record import DenseRecord
from manyheads.experiments.files import RunFiles
from manyheads.experiments.generative_experiment import GenerativeExperiment
from manyheads.experiments.generative_stages import Foray, forays
from manyheads.experiments.record import to_json
from manyheads.reports import (
    Challenge,
    DenseExhibit,
    Exhibit,
    Provenance,
    ReportContents,
    Section,
    Table,
    dense_gallery_section,
    dense_training_section,
    fooling_table,
    gallery_section,
    load_dense_exhibit,
    load_exhibit,
    own_task_table,
    write_report,
)

_WHAT = {
    "universal": "One perturbation per task is added to all images.",
    "per_instance": "Each image gets a perturbation of its own, in one pass.",
}


def generative_table(experiment: GenerativeExperiment, scores: pl.DataFrame) -> Table:
    """Tabulate what the generator and its references do to their victims."""
    return own_task_table(scores, tasks=experiment.tasks) if experiment.dense else fooling_table(scores)


def report_generative(files: RunFiles, path: Path, *, heading: str) -> None:
    """Write the page of a finished run.

    Args:
        files: the run.
        path: where the page goes.
        heading: its title.

    Raises:
        ValueError: if the run is not finished.
    """
    experiment = files.read_as(GenerativeExperiment)
    if not files.scores.exists():
        raise ValueError(f"{files.folder} has no scores yet; run it first")
    aim = "" if experiment.target is None else f" All images shall be taken for {experiment.target!r}."
    scores = Section(
        title="Scores under attack",
        text=(f"{_WHAT[experiment.generator.kind]}{aim}",),
        tables=(generative_table(experiment, pl.read_parquet(files.scores)),),
    )
    sections = (scores, _gallery(experiment, files), dense_training_section({"": pl.read_parquet(files.history)}))
    contents = ReportContents(
        title=heading,
        findings=(),
        cautions=(),
        sections=tuple(section for section in sections if section is not None),
        provenance=_provenance(experiment, files),
    )
    write_report(path, contents)


def _gallery(experiment: GenerativeExperiment, files: RunFiles) -> Section | None:
    """Show what the generator does to each victim that it was trained against."""
    method = experiment.generator.method
    shown = [
        one
        for one in forays(experiment)
        if one.attack == method
        and one.victim in experiment.victims
        and one.place(files, eps=experiment.budget.eps)[1].exists()
    ]
    if experiment.dense:
        return dense_gallery_section(list(_dense_exhibits(experiment, files, shown)))
    return gallery_section(list(_exhibits(experiment, files, shown))) if shown else None


def _exhibits(experiment: GenerativeExperiment, files: RunFiles, shown: list[Foray]) -> Iterator[Exhibit]:
    names = DenseRecord.read(files.model).class_names
    for one in shown:
        victim = experiment.victims[one.victim]
        main = str(getattr(victim, "main", one.task))
        yield load_exhibit(
            one.place(files, eps=experiment.budget.eps)[1],
            model=one.victim,
            threat=one.attack,
            challenge=_challenge(experiment),
            main=main,
            class_names={main: names},
        )


def _dense_exhibits(experiment: GenerativeExperiment, files: RunFiles, shown: list[Foray]) -> Iterator[DenseExhibit]:
    names = {"segmentation": DenseRecord.read(files.model).class_names}
    for one in shown:
        yield load_dense_exhibit(
            one.place(files, eps=experiment.budget.eps)[1],
            model=one.victim,
            threat=f"{one.attack} for {one.task}",
            challenge=_challenge(experiment),
            tasks=(one.task,),
            class_names=names,
        )


def _challenge(experiment: GenerativeExperiment) -> Challenge:
    budget = experiment.budget
    return Challenge(attack=experiment.generator.method, norm=type(budget).__name__, eps=budget.eps)


def _provenance(experiment: GenerativeExperiment, files: RunFiles) -> Provenance:
    record = DenseRecord.read(files.model)
    return Provenance(
        experiments={experiment.name: json.loads(to_json(experiment))},
        versions={"manyheads": __version__, **{name: version(name) for name in ("torch", "numpy")}},
        seeds=(experiment.seed,),
        date=datetime.fromtimestamp(files.scores.stat().st_mtime, tz=UTC).date().isoformat(),
        commit=record.commit,
        parameters={"generator": (record.shared, sum(record.private.values()))},
    )


def generative_runs_in(folder: Path) -> tuple[RunFiles, ...]:
    """List the generative runs in a folder and below, by name."""
    found = [RunFiles(path.parent) for path in sorted(folder.rglob("experiment.json"))]
    return tuple(files for files in found if isinstance(files.read(), GenerativeExperiment))
