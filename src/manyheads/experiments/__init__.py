"""Experiments: plain data that describes a run, and the stages that carry it out."""

from manyheads.experiments.experiment import (
    AnyAttack,
    AnyBudget,
    Architecture,
    Data,
    Experiment,
    Hardening,
    Rejection,
    Training,
    Trial,
)
from manyheads.experiments.files import RunFiles
from manyheads.experiments.progress import Bars, bars
from manyheads.experiments.record import differences, from_json, to_json
from manyheads.experiments.reporting import Finished, by_data, combination, report, runs_in, training
from manyheads.experiments.run import Outcome, run, sweep

__all__ = [
    "AnyAttack",
    "AnyBudget",
    "Architecture",
    "Bars",
    "Data",
    "Experiment",
    "Finished",
    "Hardening",
    "Outcome",
    "Rejection",
    "RunFiles",
    "Training",
    "Trial",
    "bars",
    "by_data",
    "combination",
    "differences",
    "from_json",
    "report",
    "run",
    "runs_in",
    "sweep",
    "to_json",
    "training",
]
