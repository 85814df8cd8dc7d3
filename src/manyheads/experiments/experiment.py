"""An experiment: everything that decides one trained model and its measurements, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal

from manyheads.attacks import PGD
from manyheads.data.office31 import Domain
from manyheads.experiments.balance import AnyCombine
from manyheads.experiments.devices import Devices, refuse_uneven_shares
from manyheads.experiments.file_title import file_title
from manyheads.experiments.refusals import (
    refuse_low_counts,
    refuse_negative_checks,
    refuse_stray_name,
    refuse_trial_names,
    refuse_two_roots,
)
from manyheads.experiments.trial import AnyAttack, AnyBudget, Blind, InnerAttack, Trial
from manyheads.threats import Linf
from manyheads.training import SGD, Adam, Constant, Cosine, Equal, OneCycle, StepDecay

DataName = Literal[
    "digits", "mnist", "fashion_mnist", "svhn", "gtsrb", "cifar10", "tiny_imagenet", "office31", "image_folder"
]
"""The data sets that can be named."""

Encoder = Literal["small_conv_net", "small_resnet", "lenet", "resnet18", "wide_resnet", "alexnet"]
"""The encoders that can be named."""


@dataclass(frozen=True)
class Data:
    """Which images.

    Args:
        name: the data set.
        root: the folder that holds it in its official layout; None for `digits`, which need none.
        size: side length in pixels to which images are resized, where that is left open; None for their own.
        train_examples: use a random subset of so many training examples; None for all.
        validation_share: share of the training examples that is held out to choose weights and calibrate the guard.
        flip: mirror training images at random.
        crop_padding: shift training images at random by up to so many pixels.
        domain: which part of Office-31; None for `amazon`. Other data sets have none.
    """

    name: DataName = "digits"
    root: Path | None = None
    size: int | None = None
    train_examples: int | None = None
    validation_share: float = 0.1
    flip: bool = False
    crop_padding: int = 0
    domain: Domain | None = None


@dataclass(frozen=True)
class Architecture:
    """Which encoder; heads are linear.

    Args:
        encoder: the shared layers.
        mean: per-channel mean that the model's first layer subtracts; empty for none.
        std: per-channel standard deviation that it divides by; empty for none.
    """

    encoder: Encoder = "small_conv_net"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


@dataclass(frozen=True)
class Hardening:
    """Adversarial training: all tasks train on images that are attacked through the main task.

    Args:
        attack: the inner attack.
        budget: which images it may choose.
        ramp: share of training over which the budget grows from zero.
    """

    attack: InnerAttack = field(default_factory=PGD)
    budget: AnyBudget = field(default_factory=lambda: Linf(0.3))
    ramp: float = 0.0


@dataclass(frozen=True)
class Training:
    """How the model is trained.

    Args:
        epochs: passes over the training examples.
        batch_size: examples per optimiser step.
        optimizer: the optimiser.
        schedule: the factor on its learning rate.
        combine: how the tasks' losses become one gradient.
        hardening: adversarial training, or None for plain training.
        patience: stop after so many epochs without a better validation score; None for never.
        selection: the attack by which the best epoch is chosen on the validation split.
        selection_examples: how many validation examples it attacks, at most.
    """

    epochs: int = 10
    batch_size: int = 128
    optimizer: SGD | Adam = field(default_factory=Adam)
    schedule: Constant | StepDecay | Cosine | OneCycle = field(default_factory=OneCycle)
    combine: AnyCombine = field(default_factory=Equal)
    hardening: Hardening | None = None
    patience: int | None = None
    selection: AnyAttack = field(default_factory=lambda: PGD(steps=10, step_size=0.075))
    selection_examples: int = 500


@dataclass(frozen=True)
class Rejection:
    """The guard's rule.

    Args:
        rule: `count` counts hidden heads that contradict the main one, `surprise` is its differentiable form.
        threshold: reject from this score on; 1 with `count` rejects on any contradiction. None to calibrate.
        reject: share of clean validation inputs that a calibrated guard may reject.
    """

    rule: Literal["count", "surprise"] = "count"
    threshold: float | None = 1.0
    reject: float = 0.02


@dataclass(frozen=True)
class Experiment:
    """One model: its data, tasks, training, guard, and the attacks that measure it.

    Args:
        name: of the run's folder.
        data: which images.
        data_root: the folder that holds the data; the same as `data.root`, in short.
        main: name of the task that users see.
        hidden: hidden tasks, each by its name and a label map: one of `manyheads.tasks.maps.available()`, or the path
            of a TOML file.
        architecture: which encoder.
        training: how it is trained.
        rejection: the guard's rule.
        trials: the attacks, by the name that reports call them.
        blind: who attacks without knowing the model, in every trial of limited size that has no target.
        sweep: further eps at which `sweep_trial` is run gray-box and adaptive, for a curve.
        sweep_trial: name of the trial whose budget is swept.
        sweep_examples: how many test examples it attacks at each further eps; None for as many as the trial.
        sanity_examples: how many test examples the sanity checks attack, at most; 0 for no checks.
        seed: decides initial weights, order of examples and all random starts.
        batch_size: examples per batch in evaluation; decides no result.
        workers: processes that decode image files ahead, for each process that trains; decides no result.
        fabric: on which devices, in how many processes and in what precision it trains.
        folder: where runs are kept.

    Raises:
        ValueError: if no run could be carried out like that.
    """

    name: str
    data: Data = field(default_factory=Data)
    data_root: Path | None = None
    main: str = "label"
    hidden: Mapping[str, str] = field(default_factory=dict)
    architecture: Architecture = field(default_factory=Architecture)
    training: Training = field(default_factory=Training)
    rejection: Rejection = field(default_factory=Rejection)
    trials: Mapping[str, Trial] = field(default_factory=dict)
    blind: tuple[Blind, ...] = ("noise", "transfer")
    sweep: tuple[float, ...] = ()
    sweep_trial: str = "pgd untargeted"
    sweep_examples: int | None = None
    sanity_examples: int = 32
    seed: int = 0
    batch_size: int = 250
    workers: int = 0
    fabric: Devices = field(default_factory=Devices)
    folder: Path = Path("runs")

    def __post_init__(self) -> None:
        """Refuse what no run could carry out."""
        refuse_stray_name(self.name, folder=self.folder)
        if self.main in self.hidden:
            raise ValueError(f"{self.main!r} is the main task and cannot be hidden too; rename one of them")
        refuse_two_roots({"data_root": self.data_root, "data.root": self.data.root})
        self._check_numbers()
        self._check_trials()

    @property
    def run(self) -> Path:
        """Folder of this run."""
        return self.folder / self.name

    def _check_numbers(self) -> None:
        """Refuse here what would otherwise be refused after hours of training."""
        counts = {
            **{name: given for name, given in vars(self).items() if name in {"batch_size", "sweep_examples"}},
            **{f"training.{name}": given for name, given in vars(self.training).items() if isinstance(given, int)},
            **{f"trials.{name}.restarts": trial.restarts for name, trial in self.trials.items()},
            **{f"trials.{name}.examples": trial.examples for name, trial in self.trials.items()},
        }
        refuse_low_counts(counts)
        refuse_uneven_shares(self.training.batch_size, self.fabric)
        refuse_negative_checks(self.sanity_examples)
        if not 0 <= self.rejection.reject < 1:
            raise ValueError(f"rejection.reject is a share of clean inputs in [0, 1), got {self.rejection.reject}")

    def _check_trials(self) -> None:
        refuse_trial_names(self.trials)
        if self.sweep:
            self._check_sweep()

    def _check_sweep(self) -> None:
        if self.sweep_trial not in self.trials:
            known = ", ".join(self.trials) or "none"
            raise ValueError(f"the curve over eps needs the trial {self.sweep_trial!r}; trials: {known}")
        own = (trial := self.trials[self.sweep_trial]).budget.eps
        if len({file_title(self.sweep_trial, eps=eps) for eps in (own, *self.sweep)}) <= len(self.sweep):
            raise ValueError(
                f"an eps of the sweep {self.sweep} stands twice, or is the trial's own, {own}; leave it out"
            )
        if hasattr(trial.attack, "step_size") and not 0 < own < inf:
            raise ValueError(f"steps grow with eps over a sweep, from the trial's own eps; give it one, it has {own}")
