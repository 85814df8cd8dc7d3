"""Files of a run: which lies where in its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import polars as pl

from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.file_title import file_title
from manyheads.experiments.generative_experiment import AnyExperiment, GenerativeExperiment
from manyheads.experiments.guard_record import GuardRecord
from manyheads.experiments.record import differences, from_json, to_json

_NAMES: Mapping[type[AnyExperiment], str] = {
    Experiment: "a classifier",
    DenseExperiment: "a model of dense tasks",
    GenerativeExperiment: "a generator of perturbations",
}

_ExperimentT = TypeVar("_ExperimentT", Experiment, DenseExperiment, GenerativeExperiment)


@dataclass(frozen=True)
class RunFiles:
    """The files of one run, in one folder."""

    folder: Path

    @property
    def experiment(self) -> Path:
        """The experiment, as JSON."""
        return self.folder / "experiment.json"

    @property
    def weights(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "weights"

    @property
    def history(self) -> Path:
        """Losses and validation measures, epoch by epoch."""
        return self.folder / "history.parquet"

    @property
    def guard(self) -> Path:
        """The guard's tasks, rule and threshold, as JSON."""
        return self.folder / "guard.json"

    @property
    def model(self) -> Path:
        """A dense model's or a generator's classes and sizes, as JSON."""
        return self.folder / "model.json"

    @property
    def facts(self) -> Path:
        """Folder of the per-example facts, one file per attacker and trial."""
        return self.folder / "facts"

    @property
    def gallery(self) -> Path:
        """Folder of the kept images, one file per attacker and trial."""
        return self.folder / "gallery"

    @property
    def scores(self) -> Path:
        """All scores of the run."""
        return self.folder / "scores.parquet"

    @property
    def sanity(self) -> Path:
        """What the sanity checks found; runs of older versions have none."""
        return self.folder / "sanity.parquet"

    @property
    def surface(self) -> Path:
        """The loss around some test images; runs of older versions have none."""
        return self.folder / "surface.parquet"

    @property
    def vulnerability(self) -> Path:
        """First-order vulnerability of a dense model, where it was planned."""
        return self.folder / "vulnerability.parquet"

    @property
    def progress(self) -> Path:
        """What a process of its own tells of the run while it works; gone afterwards."""
        return self.folder / "progress.jsonl"

    @property
    def report(self) -> Path:
        """The page that a person reads."""
        return self.folder / "report.html"

    def refuse_other(self, experiment: AnyExperiment) -> None:
        """Make sure that the folder holds nothing, or this very experiment.

        Raises:
            ValueError: if the folder holds another experiment.
        """
        other = differences(self.read(), experiment) if self.experiment.exists() else ()
        if other:
            raise ValueError(
                f"{self.folder} holds another experiment ({'; '.join(other)}); "
                "give this one another --name, or delete that folder"
            )

    def claim(self, experiment: AnyExperiment) -> None:
        """Write the experiment down, unless it stands there.

        Raises:
            ValueError: if the folder holds another experiment.
        """
        self.refuse_other(experiment)
        if not self.experiment.exists():
            keep(self.experiment, to_json(experiment).encode())

    def read(self) -> AnyExperiment:
        """Read which experiment the folder holds, of any kind.

        Raises:
            FileNotFoundError: if it holds none.
        """
        if not self.experiment.exists():
            raise FileNotFoundError(f"{self.folder} is not a run: it has no experiment.json; `manyheads run` makes one")
        return from_json(self.experiment.read_text(), source=str(self.experiment))

    def read_as(self, kind: type[_ExperimentT]) -> _ExperimentT:
        """Read which experiment the folder holds: one of this kind.

        Args:
            kind: `Experiment`, `DenseExperiment` or `GenerativeExperiment`.

        Raises:
            FileNotFoundError: if it holds none.
            ValueError: if it holds one of another kind.
        """
        held = self.read()
        if isinstance(held, kind):
            return held
        raise ValueError(f"{self.folder} holds {_NAMES[type(held)]}; this needs the run of {_NAMES[kind]}")

    def facts_of(self, knowledge: str, *, trial: str, eps: float) -> Path:
        """Per-example facts of one trial by one attacker."""
        return self.facts / f"{knowledge}--{file_title(trial, eps=eps)}.parquet"

    def gallery_of(self, knowledge: str, *, trial: str, eps: float) -> Path:
        """Kept images of one trial by one attacker."""
        return self.gallery / f"{knowledge}--{file_title(trial, eps=eps)}.safetensors"

    def read_guard(self) -> GuardRecord:
        """Read what the guard needs beside its weights.

        Raises:
            FileNotFoundError: if the run was not trained yet.
            ValueError: if the file is damaged.
        """
        if not self.guard.exists():
            raise FileNotFoundError(f"{self.folder} has no trained guard yet; run the experiment first")
        return GuardRecord.from_json(self.guard.read_text(), source=str(self.guard))


def keep(path: Path, content: bytes | pl.DataFrame) -> None:
    """Write a file, a table as Parquet: whole or not at all, and not if it holds just that already.

    A run that goes on comes to the same results again; their files keep the time at which they were made.
    """
    if isinstance(content, pl.DataFrame):
        buffer = BytesIO()
        content.write_parquet(buffer)
        content = buffer.getvalue()
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(path)
