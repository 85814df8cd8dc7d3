"""A generative experiment: everything that decides one trained generator of perturbations, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from manyheads.attacks import BIM, FGSM, MIM, PGD, Noise
from manyheads.experiments.balance import Indifferent
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.devices import Devices, refuse_uneven_shares
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.refusals import refuse_low_counts, refuse_stray_name
from manyheads.experiments.trial import AnyBudget
from manyheads.threats import Linf
from manyheads.training import SGD, Adam, Constant, Cosine, Equal, OneCycle, StepDecay

Method = Literal["mta", "gap"]
"""One encoder for all tasks (MTA), or a whole generator for each (GAP)."""

PerturbationKind = Literal["universal", "per_instance"]
"""One perturbation for all images of a task, or one for each image."""

Raised = Literal["logarithm", "loss"]
"""What training raises: the logarithm of the attacker's objective, as in the paper, or the objective itself."""

ReferenceAttack = Noise | FGSM | BIM | PGD | MIM
"""The attacks that a generator may be compared with."""

AnyVictim = Experiment | DenseExperiment
"""What a generator can be trained against: a classifier, or a model of dense tasks."""


@dataclass(frozen=True)
class GeneratorArchitecture:
    """The generator: an encoder with residual blocks, and decoders.

    Args:
        method: whether tasks share the encoder.
        kind: what it is given: a fixed pattern, or the image.
        width: channels of its first convolution.
        blocks: how many residual blocks an encoder has.
    """

    method: Method = "mta"
    kind: PerturbationKind = "universal"
    width: int = 20
    blocks: int = 6


@dataclass(frozen=True)
class GenerativeTraining:
    """How the generator is trained.

    Args:
        epochs: passes over the training images of the victim that has most.
        batch_size: images of each task per optimiser step.
        optimizer: the optimiser.
        schedule: the factor on its learning rate.
        raised: what is raised for each task.
        combine: how the tasks' losses become one gradient; a sum (`Equal`) is divided by the number of tasks.
    """

    epochs: int = 1
    batch_size: int = 10
    optimizer: SGD | Adam = field(default_factory=lambda: Adam(2e-4))
    schedule: Constant | StepDecay | Cosine | OneCycle = field(default_factory=Constant)
    raised: Raised = "logarithm"
    combine: Indifferent = field(default_factory=Equal)


@dataclass(frozen=True)
class GenerativeExperiment:
    """One generator: whom it is trained against, how, and what it is compared with.

    Args:
        name: of the run's folder.
        victims: the models that it attacks, by name: several classifiers, each a task of its own with its own images,
            or one dense model, whose tasks share their images. They are runs of their own beside this one, carried out
            first unless they are finished.
        transfers: dense models on the same frames that the perturbations are tried on too; the generator never sees
            them.
        data_root: the folder that holds the data of all victims; None where they need none or say themselves.
        target: the class that all images shall be taken for; None for an untargeted attack.
        budget: which images are allowed.
        generator: which one.
        training: how it is trained.
        references: attacks within the same budget to compare with, by name; each asks every victim anew.
        reference_examples: how many test images of each victim they attack, at most; None for all.
        examples: how many test images of each victim the generator attacks, at most; None for all.
        seed: decides initial weights, patterns, order of images and all random starts.
        batch_size: images per batch in evaluation; decides no result.
        workers: processes that decode image files ahead, for each process that trains; decides no result.
        fabric: on which devices, in how many processes and in what precision it trains.
        folder: where runs are kept.

    Raises:
        ValueError: if no run could be carried out like that.
    """

    name: str
    victims: Mapping[str, AnyVictim]
    transfers: Mapping[str, DenseExperiment] = field(default_factory=dict)
    data_root: Path | None = None
    target: str | None = None
    budget: AnyBudget = field(default_factory=lambda: Linf(10 / 255))
    generator: GeneratorArchitecture = field(default_factory=GeneratorArchitecture)
    training: GenerativeTraining = field(default_factory=GenerativeTraining)
    references: Mapping[str, ReferenceAttack] = field(default_factory=dict)
    reference_examples: int | None = None
    examples: int | None = None
    seed: int = 0
    batch_size: int = 50
    workers: int = 0
    fabric: Devices = field(default_factory=Devices)
    folder: Path = Path("runs")

    def __post_init__(self) -> None:
        """Refuse what no run could carry out."""
        refuse_stray_name(self.name, folder=self.folder)
        self._check_victims()
        self._check_counts()
        own = {self.generator.method, "clean"} & set(self.references)
        if own:
            raise ValueError(f"a reference cannot be called {', '.join(sorted(own))}, as other results are; rename it")

    @property
    def run(self) -> Path:
        """Folder of this run."""
        return self.folder / self.name

    @property
    def dense(self) -> bool:
        """Whether the victim is one model of dense tasks."""
        return any(isinstance(victim, DenseExperiment) for victim in self.victims.values())

    @property
    def tasks(self) -> tuple[str, ...]:
        """What the generator has a decoder for: the victims' names, or the tasks of the dense one."""
        dense = [victim.tasks for victim in self.victims.values() if isinstance(victim, DenseExperiment)]
        return dense[0] if dense else tuple(self.victims)

    @property
    def victim_runs(self) -> dict[str, AnyVictim]:
        """All victims, those that are only tried on included, as they are run: in this folder, on this data."""
        return {name: self._placed(victim) for name, victim in {**self.victims, **self.transfers}.items()}

    def _placed(self, victim: AnyVictim) -> AnyVictim:
        changes = {"folder": self.folder, "workers": self.workers, "fabric": self.fabric}
        if self.data_root is not None:
            changes["data_root"] = self.data_root
        return replace(victim, **changes)

    def _check_victims(self) -> None:
        count = sum(isinstance(victim, DenseExperiment) for victim in self.victims.values())
        if not self.victims or (count and len(self.victims) > 1):
            raise ValueError(
                "a generator attacks one or more classifiers, or one dense model; "
                f"got {', '.join(self.victims) or 'no victim'}"
            )
        if self.transfers and not self.dense:
            raise ValueError(
                f"only perturbations of dense tasks are tried on others; leave {', '.join(self.transfers)} out"
            )
        if self.target is not None and self.dense:
            raise ValueError(f"dense tasks have no class to be taken for; leave the target {self.target!r} out")
        for name, other in self.transfers.items():
            missing = [task for task in self.tasks if task not in other.tasks]
            if missing or name in self.victims:
                raise ValueError(
                    f"perturbations are tried on another model of the same tasks; {name!r} lacks "
                    f"{', '.join(missing) or 'a name of its own'}"
                )
        folders = [victim.name for victim in (*self.victims.values(), *self.transfers.values())]
        if len({*folders, self.name}) <= len(folders):
            raise ValueError(f"each run needs a folder of its own, got {', '.join([*folders, self.name])}; rename one")

    def _check_counts(self) -> None:
        """Refuse here what would otherwise be refused after hours of training."""
        counts = {
            "batch_size": self.batch_size,
            "examples": self.examples,
            "reference_examples": self.reference_examples,
            "training.epochs": self.training.epochs,
            "training.batch_size": self.training.batch_size,
            "generator.width": self.generator.width,
        }
        refuse_low_counts(counts)
        refuse_uneven_shares(self.training.batch_size, self.fabric)
        if not 0 < self.budget.eps < float("inf"):
            raise ValueError(f"a generator's perturbations need a finite size above zero, got eps={self.budget.eps}")


AnyExperiment = Experiment | DenseExperiment | GenerativeExperiment
"""What a run can be of: a classifier with hidden tasks, a model of dense tasks, or a generator of perturbations."""
