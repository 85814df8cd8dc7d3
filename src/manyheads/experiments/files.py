"""Files of a run: which lies where in its folder."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from manyheads.experiments.experiment import Experiment
from manyheads.experiments.guard_record import GuardRecord
from manyheads.experiments.record import differences, from_json, to_json


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
    def report(self) -> Path:
        """The page that a person reads."""
        return self.folder / "report.html"

    def claim(self, experiment: Experiment) -> None:
        """Write the experiment down, or make sure that the folder holds this very one.

        Raises:
            ValueError: if the folder holds the results of another experiment.
        """
        if self.experiment.exists():
            other = differences(self.read_experiment(), experiment)
            if other:
                raise ValueError(
                    f"{self.folder} holds results of another experiment ({'; '.join(other)}); "
                    "give this one another --name, or delete that folder"
                )
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.experiment.write_text(to_json(experiment))

    def read_experiment(self) -> Experiment:
        """Read which experiment the folder holds.

        Raises:
            FileNotFoundError: if it holds none.
        """
        if not self.experiment.exists():
            raise FileNotFoundError(f"{self.folder} is not a run: it has no experiment.json; `manyheads run` makes one")
        return from_json(self.experiment.read_text(), source=str(self.experiment))

    @staticmethod
    def title(knowledge: str, *, trial: str, eps: float) -> str:
        """Name, without ending, of the files of one trial by one attacker."""
        return f"{knowledge}--{trial.replace(' ', '-')}--{eps:.4g}"

    def facts_of(self, knowledge: str, *, trial: str, eps: float) -> Path:
        """Per-example facts of one trial by one attacker."""
        return self.facts / f"{self.title(knowledge, trial=trial, eps=eps)}.parquet"

    def gallery_of(self, knowledge: str, *, trial: str, eps: float) -> Path:
        """Kept images of one trial by one attacker."""
        return self.gallery / f"{self.title(knowledge, trial=trial, eps=eps)}.safetensors"

    def read_guard(self) -> GuardRecord:
        """Read what the guard needs beside its weights.

        Raises:
            FileNotFoundError: if the run was not trained yet.
            ValueError: if the file is damaged.
        """
        if not self.guard.exists():
            raise FileNotFoundError(f"{self.folder} has no trained guard yet; run the experiment first")
        return GuardRecord.from_json(self.guard.read_text(), source=str(self.guard))

    def write_history(self, history: pl.DataFrame) -> None:
        """Write losses and validation measures."""
        history.write_parquet(self.history)
