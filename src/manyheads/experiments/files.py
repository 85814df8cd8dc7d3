"""Files of a run: which lies where in its folder."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from manyheads.experiments.experiment import Experiment
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
        """The guard's threshold, as JSON."""
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

    def write_history(self, history: pl.DataFrame) -> None:
        """Write losses and validation measures."""
        history.write_parquet(self.history)
