"""The models of the study of Mao et al. 2020: what is trained together and how, where, and under which name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from manyheads.experiments import (
    DenseArchitecture,
    DenseExperiment,
    DenseTraining,
    DenseTrial,
    Scenes,
    VulnerabilityPlan,
    with_auxiliaries,
)


@dataclass(frozen=True)
class Model:
    """What one model is trained on; a model of one task is the same whatever the share.

    Args:
        tasks: names of the tasks, main task first.
        share: the weight that the auxiliary tasks share beside the main task's 1, λ_a of the paper; None for equal
            weights of all tasks.
        hardened: train on attacked images.
    """

    tasks: tuple[str, ...]
    share: float | None = None
    hardened: bool = False

    def __post_init__(self) -> None:
        """Forget a share that nobody has."""
        if len(self.tasks) == 1:
            object.__setattr__(self, "share", None)

    @property
    def title(self) -> str:
        """Name of its runs' folder: task names in full, since letters that differ in case are one folder on some disks.

        >>> Model(("segmentation", "depth"), share=0.1).title
        'segmentation+depth--share-0.1--plain'
        """
        weighting = [] if len(self.tasks) == 1 else ["equal" if self.share is None else f"share-{self.share:g}"]
        return "--".join(["+".join(self.tasks), *weighting, "hardened" if self.hardened else "plain"])


@dataclass(frozen=True)
class Setting:
    """Where models are trained: frames, network and trainings; one experiment is one model in a setting from one seed.

    Args:
        name: of the folder of its runs.
        scenes: the frames.
        architecture: the network.
        plain: training on clean images.
        hardened: training on attacked images.
        batch_size: frames per batch in evaluation.
    """

    name: str
    scenes: Scenes
    architecture: DenseArchitecture
    plain: DenseTraining
    hardened: DenseTraining
    batch_size: int = 16


@dataclass(frozen=True)
class Measurements:
    """What a trained model is put through.

    Args:
        trials: the attacks, by name.
        sweep: further eps for the trials that `swept` names.
        swept: names of trials.
        vulnerability: the vulnerability to measure, if any.
    """

    trials: Mapping[str, DenseTrial]
    sweep: tuple[float, ...] = ()
    swept: tuple[str, ...] = ()
    vulnerability: VulnerabilityPlan | None = None

    def __or__(self, other: "Measurements") -> "Measurements":
        """Return what either wants.

        Raises:
            ValueError: if they want different things under one name.
        """
        both = sorted(name for name in self.trials if other.trials.get(name, self.trials[name]) != self.trials[name])
        if both:
            raise ValueError(f"two parts want {', '.join(both)} of one model, but not the same")
        return Measurements(
            {**self.trials, **other.trials},
            tuple(sorted({*self.sweep, *other.sweep})),
            tuple(dict.fromkeys((*self.swept, *other.swept))),
            _joined(self.vulnerability, other.vulnerability),
        )


def _joined(one: VulnerabilityPlan | None, other: VulnerabilityPlan | None) -> VulnerabilityPlan | None:
    """Return the plan that holds both: one with output pixels measures all that one without does."""
    if one is None or other is None:
        return one or other
    larger, smaller = (one, other) if one.pixels else (other, one)
    if smaller not in (larger, replace(larger, pixels=(), attacks={})):
        raise ValueError(f"two parts want the vulnerability of one model, but not the same: {one} and {other}")
    return larger


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Where the runs of a study go, and what they read.

    Args:
        study: name of the study, the folder of its runs.
        data_root: the folder that holds the data sets; None for scenes that need none.
        folder: where runs are kept.
        measurements: what each model is put through, by setting and model; the union over all parts of the study.
    """

    study: str
    data_root: Path | None
    folder: Path
    measurements: Mapping[tuple[str, Model], Measurements] = field(default_factory=dict)

    def experiment(self, model: Model, *, setting: Setting, seed: int) -> DenseExperiment:
        """Make the experiment of one model in a setting from one seed; its name says all three."""
        wanted = self.measurements[setting.name, model]
        return DenseExperiment(
            name=f"{self.study}/{setting.name}/{model.title}/seed-{seed}",
            scenes=setting.scenes,
            data_root=self.data_root,
            tasks=model.tasks,
            weights={} if model.share is None else with_auxiliaries(model.tasks, share=model.share),
            architecture=setting.architecture,
            training=setting.hardened if model.hardened else setting.plain,
            trials=wanted.trials,
            sweep=wanted.sweep,
            sweep_trials=wanted.swept,
            vulnerability=wanted.vulnerability,
            seed=seed,
            batch_size=setting.batch_size,
            folder=self.folder,
        )
