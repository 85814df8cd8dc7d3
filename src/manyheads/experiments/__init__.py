"""Experiments: plain data that describes a run, and the stages that carry it out."""

from manyheads.experiments.balance import (
    Aggregation,
    AnyCombine,
)
from manyheads.experiments.conclusion import (
    conclude,
)
from manyheads.experiments.dense_attackers import (
    THREATS,
)
from manyheads.experiments.dense_experiment import (
    DenseArchitecture,
    DenseExperiment,
    DenseTraining,
    Scenes,
)
from manyheads.experiments.dense_materials import (
    in_letters,
    make_dense_tasks,
    with_auxiliaries,
)
from manyheads.experiments.dense_record import (
    DenseRecord,
)
from manyheads.experiments.dense_reporting import (
    by_scenes,
    dense_results,
    dense_runs_in,
    report_dense,
)
from manyheads.experiments.dense_trial import (
    DenseAttack,
    DenseHardening,
    DenseTrial,
    VulnerabilityPlan,
)
from manyheads.experiments.devices import (
    Devices,
)
from manyheads.experiments.experiment import (
    Architecture,
    Data,
    Experiment,
    Hardening,
    Rejection,
    Training,
)
from manyheads.experiments.files import (
    RunFiles,
    keep,
)
from manyheads.experiments.finished import (
    Finished,
    combination,
    training,
)
from manyheads.experiments.foreign import (
    Assessment,
    ForeignTrial,
    assess,
    facts_in,
    read_record,
    worst_case,
)
from manyheads.experiments.foreign_code import Blame, ForeignCodeError, run_file
from manyheads.experiments.foreign_examination import examine_foreign
from manyheads.experiments.foreign_model import (
    ForeignModel,
    Guarded,
    load_foreign,
)
from manyheads.experiments.foreign_probe import (
    Probe,
    probe,
)
from manyheads.experiments.foreign_report import (
    report_foreign,
)
from manyheads.experiments.foreign_trials import (
    ATTACKS,
    NEED_NO_GRADIENT,
    Effort,
    budget_of,
    foreign_data,
    foreign_tasks,
    foreign_trials,
)
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
from manyheads.experiments.generative_reporting import (
    generative_runs_in,
    report_generative,
)
from manyheads.experiments.materials import (
    READERS,
    lies_in,
)
from manyheads.experiments.override import (
    blanked,
    exchange,
    exchange_all,
    hyphened,
    kinds,
)
from manyheads.experiments.predict import (
    Prediction,
    load_guard,
    predict,
)
from manyheads.experiments.progress import (
    Bars,
    bars,
)
from manyheads.experiments.ray_sweep import (
    RayCluster,
    ray_sweep,
)
from manyheads.experiments.record import (
    differences,
    from_json,
    to_json,
)
from manyheads.experiments.reporting import (
    by_data,
    report,
    runs_in,
)
from manyheads.experiments.run import (
    Outcome,
    run,
)
from manyheads.experiments.sweep import (
    sweep,
)
from manyheads.experiments.trial import (
    AnyAttack,
    AnyBudget,
    InnerAttack,
    Trial,
)
from manyheads.experiments.verdict import (
    checked,
    reached,
    surfaces,
)

__all__ = [
    "ATTACKS",
    "NEED_NO_GRADIENT",
    "READERS",
    "THREATS",
    "Aggregation",
    "AnyAttack",
    "AnyBudget",
    "AnyCombine",
    "AnyExperiment",
    "AnyVictim",
    "Architecture",
    "Assessment",
    "Bars",
    "Blame",
    "Data",
    "DenseArchitecture",
    "DenseAttack",
    "DenseExperiment",
    "DenseHardening",
    "DenseRecord",
    "DenseTraining",
    "DenseTrial",
    "Devices",
    "Effort",
    "Experiment",
    "Finished",
    "ForeignCodeError",
    "ForeignModel",
    "ForeignTrial",
    "GenerativeExperiment",
    "GenerativeTraining",
    "GeneratorArchitecture",
    "Guarded",
    "Hardening",
    "InnerAttack",
    "Method",
    "Outcome",
    "PerturbationKind",
    "Prediction",
    "Probe",
    "Raised",
    "RayCluster",
    "ReferenceAttack",
    "Rejection",
    "RunFiles",
    "Scenes",
    "Training",
    "Trial",
    "VulnerabilityPlan",
    "assess",
    "bars",
    "blanked",
    "budget_of",
    "by_data",
    "by_scenes",
    "checked",
    "combination",
    "conclude",
    "dense_results",
    "dense_runs_in",
    "differences",
    "examine_foreign",
    "exchange",
    "exchange_all",
    "facts_in",
    "foreign_data",
    "foreign_tasks",
    "foreign_trials",
    "from_json",
    "generative_runs_in",
    "hyphened",
    "in_letters",
    "keep",
    "kinds",
    "lies_in",
    "load_foreign",
    "load_guard",
    "make_dense_tasks",
    "predict",
    "probe",
    "ray_sweep",
    "reached",
    "read_record",
    "report",
    "report_dense",
    "report_foreign",
    "report_generative",
    "run",
    "run_file",
    "runs_in",
    "surfaces",
    "sweep",
    "to_json",
    "training",
    "with_auxiliaries",
    "worst_case",
]
