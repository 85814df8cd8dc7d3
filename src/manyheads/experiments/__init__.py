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
from manyheads.experiments.materials import READERS, lies_in
from manyheads.experiments.override import exchange, exchange_all, kinds
from manyheads.experiments.predict import Prediction, load_guard, predict
from manyheads.experiments.progress import Bars, bars
from manyheads.experiments.record import differences, from_json, to_json
from manyheads.experiments.reporting import Finished, by_data, combination, report, runs_in, training
from manyheads.experiments.run import Outcome, run
from manyheads.experiments.sweep import sweep

__all__ = [
    "READERS",
    "AnyAttack",
    "AnyBudget",
    "Architecture",
    "Bars",
    "Data",
    "Experiment",
    "Finished",
    "Hardening",
    "Outcome",
    "Prediction",
    "Rejection",
    "RunFiles",
    "Training",
    "Trial",
    "bars",
    "by_data",
    "combination",
    "differences",
    "exchange",
    "exchange_all",
    "from_json",
    "kinds",
    "lies_in",
    "load_guard",
    "predict",
    "report",
    "run",
    "runs_in",
    "sweep",
    "to_json",
    "training",
]
