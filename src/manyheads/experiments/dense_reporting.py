"""Reports of finished dense runs: one page for one run, or for several on the same scenes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import polars as pl

from manyheads import __version__
from manyheads.experiments.dense_attackers import dense_assaults
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_materials import in_letters
from manyheads.experiments.dense_record import DenseRecord
from manyheads.experiments.files import RunFiles
from manyheads.experiments.record import to_json
from manyheads.reports import (
    Challenge,
    Checklist,
    DenseExhibit,
    DensePage,
    DenseResults,
    Provenance,
    Section,
    checklist,
    dense_report,
    load_dense_exhibit,
    vulnerability_section,
)

_CURVES = {"pixels": "pixels", "pixel accuracy": "accuracy", "tasks": "tasks"}


def dense_results(runs: Sequence[RunFiles]) -> DenseResults:
    """Read the scores of finished dense runs; models are called by their tasks' letters, seeds told apart.

    Raises:
        ValueError: if there is none, one has no scores yet, or two of one model and seed could not be told apart.
    """
    if not runs:
        raise ValueError("a report needs at least one finished run, got none")
    unfinished = [str(files.folder) for files in runs if not files.scores.exists()]
    if unfinished:
        raise ValueError(f"these runs have no scores yet: {', '.join(unfinished)}; run them first")
    places: dict[tuple[str, int], Path] = {}
    parts = []
    for files in runs:
        one = files.read_as(DenseExperiment)
        label = (dense_title(one), one.seed)
        if label in places:
            raise ValueError(
                f"{places[label]} and {files.folder} both hold a model {label[0]!r} from seed {one.seed}, which no "
                "table could tell apart; report each by itself"
            )
        places[label] = files.folder
        named = pl.lit(label[0]).alias("model"), pl.lit(one.seed).alias("seed")
        parts.append(pl.read_parquet(files.scores).with_columns(*named))
    return DenseResults(pl.concat(parts))


def dense_title(experiment: DenseExperiment) -> str:
    """Short name of a model among those on the same scenes: its tasks' letters, and whether it was hardened."""
    return in_letters(experiment) + (" hardened" if experiment.training.hardening else "")


def dense_checks(runs: Sequence[RunFiles]) -> Checklist:
    """Lay the sanity checks of finished dense runs side by side; older runs, and those that wanted none, have none."""
    checked = [files for files in runs if files.sanity.exists()]
    return checklist({_seeded_title(one.read_as(DenseExperiment)): pl.read_parquet(one.sanity) for one in checked})


def _seeded_title(experiment: DenseExperiment) -> str:
    return f"{dense_title(experiment)}, seed {experiment.seed}"


def report_dense(runs: Sequence[RunFiles], path: Path, *, heading: str) -> None:
    """Write the page of some dense runs on the same scenes.

    Args:
        runs: the runs, in the order of the tables.
        path: where the page goes.
        heading: its title.

    Raises:
        ValueError: if there is none, one is not finished, or two could not be told apart.
    """
    results = dense_results(runs)
    experiments = [files.read_as(DenseExperiment) for files in runs]
    page = DensePage(
        title=heading,
        results=results,
        mains=_tabulated(experiments),
        provenance=_provenance(runs, experiments),
        detailed=results.models if len(runs) == 1 else (),
        checks=dense_checks(runs),
        surfaces={
            _seeded_title(one): pl.read_parquet(files.surface)
            for one, files in zip(experiments, runs, strict=True)
            if len(runs) == 1 and files.surface.exists()
        },
        vulnerability=_vulnerability(runs),
        exhibits=_exhibits(experiments[0], runs[0]),
        histories={
            _seeded_title(one): pl.read_parquet(files.history) for one, files in zip(experiments, runs, strict=True)
        },
    )
    dense_report(path, page)


def _tabulated(experiments: Sequence[DenseExperiment]) -> tuple[str, ...]:
    tasks = experiments[0].tasks if len(experiments) == 1 else [one.tasks[0] for one in experiments]
    return tuple(dict.fromkeys(tasks))


def _vulnerability(runs: Sequence[RunFiles]) -> Section | None:
    """Make the section of the first run that measured it."""
    measured = [files.vulnerability for files in runs if files.vulnerability.exists()]
    if not measured:
        return None
    table = pl.read_parquet(measured[0])
    found = {name: table.filter(over=over) for over, name in _CURVES.items() if over in table["over"]}
    return vulnerability_section(**{name: part for name, part in found.items() if len(part)})


def _exhibits(experiment: DenseExperiment, files: RunFiles) -> tuple[DenseExhibit, ...]:
    """Read the galleries of the trials at their own budgets."""
    names = {"segmentation": DenseRecord.read(files.model).class_names}
    shown = []
    for one in dense_assaults(experiment):
        path = files.gallery_of(one.threat, trial=one.name, eps=one.eps)
        if path.exists() and one.trial in experiment.trials.values():
            challenge = Challenge(attack=one.name, norm=type(one.trial.budget).__name__, eps=one.eps)
            shown.append(
                load_dense_exhibit(
                    path,
                    model=dense_title(experiment),
                    threat=one.threat,
                    challenge=challenge,
                    tasks=experiment.tasks,
                    class_names=names,
                )
            )
    return tuple(shown)


def _provenance(runs: Sequence[RunFiles], experiments: Sequence[DenseExperiment]) -> Provenance:
    records = {dense_title(one): DenseRecord.read(files.model) for one, files in zip(experiments, runs, strict=True)}
    when = max(files.scores.stat().st_mtime for files in runs)
    return Provenance(
        experiments={one.name: json.loads(to_json(one)) for one in experiments},
        versions={"manyheads": __version__, **{name: version(name) for name in ("torch", "numpy")}},
        seeds=tuple(sorted({one.seed for one in experiments})),
        date=datetime.fromtimestamp(when, tz=UTC).date().isoformat(),
        commit=next(iter(records.values())).commit,
        parameters={name: (record.shared, sum(record.private.values())) for name, record in records.items()},
    )


def dense_runs_in(folder: Path) -> tuple[RunFiles, ...]:
    """List the dense runs in a folder and below: plain training first, few tasks first, then by name."""
    found = [RunFiles(path.parent) for path in folder.rglob("experiment.json")]
    experiments = {files: one for files in found if isinstance(one := files.read(), DenseExperiment)}

    def place(files: RunFiles) -> tuple[bool, int, str]:
        one = experiments[files]
        return one.training.hardening is not None, len(one.tasks), one.name

    return tuple(sorted(experiments, key=place))


def by_scenes(runs: Sequence[RunFiles]) -> dict[str, tuple[RunFiles, ...]]:
    """Sort finished dense runs by their scenes; runs that are still going are left out."""
    finished: dict[str, list[RunFiles]] = {}
    for files in runs:
        if files.scores.exists():
            finished.setdefault(files.read_as(DenseExperiment).scenes.name, []).append(files)
    return {scenes: tuple(members) for scenes, members in finished.items()}
