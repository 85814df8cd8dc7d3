"""Experiments: plain data that describes a run, and the stages that carry it out."""

from manyheads.experiments.conclusion import conclude
from manyheads.experiments.dense_attackers import THREATS
from manyheads.experiments.dense_experiment import (
    DenseArchitecture,
    DenseExperiment,
    DenseTraining,
    Scenes,
    with_auxiliaries,
)
from manyheads.experiments.dense_materials import in_letters, make_dense_tasks
from manyheads.experiments.dense_record import DenseRecord
from manyheads.experiments.dense_reporting import by_scenes, dense_results, dense_runs_in, report_dense
from manyheads.experiments.dense_trial import DenseAttack, DenseHardening, DenseTrial, VulnerabilityPlan
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
from manyheads.experiments.generative_experiment import (
    AnyExperiment,
    AnyVictim,
    GenerativeExperiment,
    GenerativeTraining,
    GeneratorArchitecture,
    Method,
    PerturbationKind,
    Raised,
    ReferenceAttack,
)
from manyheads.experiments.generative_reporting import generative_runs_in, report_generative
from manyheads.experiments.materials import READERS, lies_in
from manyheads.experiments.override import blanked, exchange, exchange_all, hyphened, kinds
from manyheads.experiments.predict import Prediction, load_guard, predict
from manyheads.experiments.progress import Bars, bars
from manyheads.experiments.ray_sweep import RayCluster, ray_sweep
from manyheads.experiments.record import differences, from_json, to_json
from manyheads.experiments.reporting import Finished, by_data, combination, report, runs_in, training
from manyheads.experiments.run import Outcome, run
from manyheads.experiments.sweep import sweep

__all__ = [
    "READERS",
    "THREATS",
    "AnyAttack",
    "AnyBudget",
    "AnyExperiment",
    "AnyVictim",
    "Architecture",
    "Bars",
    "Data",
    "DenseArchitecture",
    "DenseAttack",
    "DenseExperiment",
    "DenseHardening",
    "DenseRecord",
    "DenseTraining",
    "DenseTrial",
    "Experiment",
    "Finished",
    "GenerativeExperiment",
    "GenerativeTraining",
    "GeneratorArchitecture",
    "Hardening",
    "Method",
    "Outcome",
    "PerturbationKind",
    "Prediction",
    "Raised",
    "RayCluster",
    "ReferenceAttack",
    "Rejection",
    "RunFiles",
    "Scenes",
    "Training",
    "Trial",
    "VulnerabilityPlan",
    "bars",
    "blanked",
    "by_data",
    "by_scenes",
    "combination",
    "conclude",
    "dense_results",
    "dense_runs_in",
    "differences",
    "exchange",
    "exchange_all",
    "from_json",
    "generative_runs_in",
    "hyphened",
    "in_letters",
    "kinds",
    "lies_in",
    "load_guard",
    "make_dense_tasks",
    "predict",
    "ray_sweep",
    "report",
    "report_dense",
    "report_generative",
    "run",
    "runs_in",
    "sweep",
    "to_json",
    "training",
    "with_auxiliaries",
]
