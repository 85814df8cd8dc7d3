"""A dense experiment: everything that decides one model with answers per pixel and its measurements, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal

from manyheads.attacks import mao_steps
from manyheads.experiments.balance import AnyCombine
from manyheads.experiments.dense_trial import DenseHardening, DenseTrial, VulnerabilityPlan
from manyheads.experiments.devices import Devices, refuse_uneven_shares
from manyheads.experiments.refusals import (
    refuse_low_counts,
    refuse_negative_checks,
    refuse_stray_name,
    refuse_trial_names,
    refuse_two_roots,
)
from manyheads.tasks import PAPER_LETTERS, suggest
from manyheads.training import SGD, Adam, Constant, Cosine, Equal, OneCycle, StepDecay

SceneName = Literal["drawn", "nyuv2", "cityscapes", "taskonomy"]
"""The sets of scenes that can be named."""

DenseEncoder = Literal[
    "small_dense_net", "dense_resnet18", "drn_d_22", "drn_d_105", "small_segnet", "segnet", "small_mtan", "mtan"
]
"""The encoders of dense models that can be named."""

_WITH_TAIL = ("drn_d_22", "drn_d_105", "small_segnet", "segnet")


@dataclass(frozen=True)
class Scenes:
    """Which frames.

    Args:
        name: the set of scenes.
        root: the folder that holds it in its official layout; None for `drawn` scenes, which need none.
        size: height and width in pixels to which frames are resized; None for the size that their reader has.
        classes: how many classes the segmentation has, for NYUv2: 13 or 40; None for the set's own number (NYUv2: 13).
        train_examples: use so many training frames, drawn at random; None for all. Of drawn scenes 512 are all.
        test_examples: use so many test frames; None for all. Of drawn scenes 128 are all.
        validation_share: share of the training frames that is held out to choose the best weights.
        flip: mirror training frames at random, normals included.
        crop: height and width in pixels of the part of each frame that is cut out at random for training.
    """

    name: SceneName = "drawn"
    root: Path | None = None
    size: tuple[int, int] | None = None
    classes: int | None = None
    train_examples: int | None = None
    test_examples: int | None = None
    validation_share: float = 0.1
    flip: bool = False
    crop: tuple[int, int] | None = None


@dataclass(frozen=True)
class DenseArchitecture:
    """Which encoder; each comes with its own kind of decoder.

    Args:
        encoder: the shared layers.
        shared_tail: let all tasks share a dilated network's layers 6 to 8, or SegNet's decoder, as in released code.
        mean: per-channel mean that the model's first layer subtracts; empty for none.
        std: per-channel standard deviation that it divides by; empty for none.
    """

    encoder: DenseEncoder = "small_dense_net"
    shared_tail: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


@dataclass(frozen=True)
class DenseTraining:
    """How the model is trained.

    The best epoch is the one whose main task's headline score is best on the validation split; under the hardening's
    own attack where there is hardening.

    Args:
        epochs: passes over the training frames.
        batch_size: frames per optimiser step.
        optimizer: the optimiser.
        schedule: the factor on its learning rate.
        combine: how the tasks' losses become one gradient; the experiment's `weights` are those of a sum (`Equal`).
        hardening: adversarial training, or None for plain training.
        patience: stop after so many epochs without a better validation score; None for never.
        selection_examples: how many validation frames choose the best epoch, at most; None for all.
    """

    epochs: int = 10
    batch_size: int = 16
    optimizer: SGD | Adam = field(default_factory=Adam)
    schedule: Constant | StepDecay | Cosine | OneCycle = field(default_factory=OneCycle)
    combine: AnyCombine = field(default_factory=Equal)
    hardening: DenseHardening | None = None
    patience: int | None = None
    selection_examples: int | None = None


@dataclass(frozen=True)
class DenseExperiment:
    """One dense model: its frames, tasks, training, and the attacks that measure it.

    Args:
        name: of the run's folder.
        scenes: which frames.
        data_root: the folder that holds the frames; the same as `scenes.root`, in short.
        tasks: names of the tasks, main task first.
        weights: weight of each task's loss in training; empty for the mean over the tasks.
        architecture: which encoder and decoders.
        training: how it is trained.
        trials: the attacks, by the name that reports call them.
        sweep: further eps at which the trials of `sweep_trials` are run, for a curve; with steps of the trial's own
            length, as many as `mao_steps` gives.
        sweep_trials: names of these trials.
        sanity_examples: how many test frames the sanity checks attack, at most; 0 for no checks.
        vulnerability: the first-order vulnerability to measure; None for none.
        seed: decides initial weights, order of frames and all random starts.
        batch_size: frames per batch in evaluation; decides no result.
        workers: processes that decode image files ahead, for each process that trains; decides no result.
        fabric: on which devices, in how many processes and in what precision it trains.
        folder: where runs are kept.

    Raises:
        ValueError: if no run could be carried out like that.
    """

    name: str
    scenes: Scenes = field(default_factory=Scenes)
    data_root: Path | None = None
    tasks: tuple[str, ...] = ("segmentation", "depth")
    weights: Mapping[str, float] = field(default_factory=dict)
    architecture: DenseArchitecture = field(default_factory=DenseArchitecture)
    training: DenseTraining = field(default_factory=DenseTraining)
    trials: Mapping[str, DenseTrial] = field(default_factory=dict)
    sweep: tuple[float, ...] = ()
    sweep_trials: tuple[str, ...] = ()
    sanity_examples: int = 8
    vulnerability: VulnerabilityPlan | None = None
    seed: int = 0
    batch_size: int = 16
    workers: int = 0
    fabric: Devices = field(default_factory=Devices)
    folder: Path = Path("runs")

    def __post_init__(self) -> None:
        """Refuse what no run could carry out."""
        refuse_stray_name(self.name, folder=self.folder)
        refuse_two_roots({"data_root": self.data_root, "scenes.root": self.scenes.root})
        if self.architecture.shared_tail and self.architecture.encoder not in _WITH_TAIL:
            raise ValueError(
                f"only dilated networks and SegNet have a tail to share, {self.architecture.encoder} has none; "
                "leave shared_tail out"
            )
        self._check_tasks()
        self._check_counts()
        self._check_trials()

    @property
    def run(self) -> Path:
        """Folder of this run."""
        return self.folder / self.name

    def _check_tasks(self) -> None:
        if not self.tasks or len(set(self.tasks)) < len(self.tasks):
            raise ValueError(f"a model has at least one task, and each once, got {', '.join(self.tasks) or 'none'}")
        unknown = [name for name in self.tasks if name not in PAPER_LETTERS.values()]
        if unknown:
            raise ValueError(
                f"no dense task is called {unknown[0]!r}; {suggest(unknown[0], known=PAPER_LETTERS.values())}"
            )
        if self.weights and set(self.weights) != set(self.tasks):
            raise ValueError(
                f"the losses' weights are for {', '.join(self.weights)}, but the tasks are {', '.join(self.tasks)}; "
                "give each task one, or none at all for their mean"
            )
        rule = self.training.combine
        if self.weights and not isinstance(rule, Equal):
            raise ValueError(
                f"with training.combine={type(rule).__name__} the rule weighs the losses; leave the weights out"
            )
        if not all(0 <= weight < inf for weight in self.weights.values()):
            raise ValueError(f"a loss's weight is zero or above, got {dict(self.weights)}")

    def _check_counts(self) -> None:
        """Refuse here what would otherwise be refused after hours of training."""
        counts: dict[str, int | None] = {
            "batch_size": self.batch_size,
            "training.epochs": self.training.epochs,
            "training.batch_size": self.training.batch_size,
            "training.patience": self.training.patience,
            "training.selection_examples": self.training.selection_examples,
            "scenes.train_examples": self.scenes.train_examples,
            "scenes.test_examples": self.scenes.test_examples,
            "vulnerability.examples": None if self.vulnerability is None else self.vulnerability.examples,
            **{f"trials.{name}.examples": trial.examples for name, trial in self.trials.items()},
        }
        refuse_low_counts(counts)
        refuse_uneven_shares(self.training.batch_size, self.fabric)
        refuse_negative_checks(self.sanity_examples)

    def _check_trials(self) -> None:
        if not self.trials:
            raise ValueError(f"nothing would attack {self.name!r}; give the experiment a trial")
        refuse_trial_names(self.trials)
        needing = [name for name, trial in self.trials.items() if trial.goal != "loss"]
        if needing and self.tasks[0] != "segmentation":
            raise ValueError(
                f"the trial {needing[0]!r} raises Houdini's loss, which speaks of a segmentation; make it the main task"
            )
        if self.vulnerability and self.vulnerability.pixels and "segmentation" not in self.tasks:
            raise ValueError("vulnerability over output pixels is that of a segmentation, which is not among the tasks")
        self._check_sweep()

    def _check_sweep(self) -> None:
        unknown = [name for name in self.sweep_trials if name not in self.trials]
        if unknown or (self.sweep and not self.sweep_trials):
            raise ValueError(
                f"the curve over eps needs trials, got {', '.join(self.sweep_trials) or 'none'}; "
                f"trials: {', '.join(self.trials)}"
            )
        for eps in self.sweep:
            mao_steps(eps)  # refuses what is no eps
        for name in self.sweep_trials:
            own = float(self.trials[name].budget.eps)
            if len({f"{eps:.4g}" for eps in (own, *self.sweep)}) <= len(self.sweep):
                raise ValueError(
                    f"an eps of the sweep {self.sweep} stands twice, or is that of {name!r} itself, {own}; leave it out"
                )
