"""Generative materials: the victims that a generator attacks, what it raises of them, and the generator itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lightning_fabric import Fabric
from torch import nn

from manyheads.data import Source, take
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_stages import open_dense_workshop, train_dense
from manyheads.experiments.experiment import Experiment
from manyheads.experiments.files import RunFiles
from manyheads.experiments.generative_experiment import AnyVictim, GenerativeExperiment
from manyheads.experiments.progress import Bars
from manyheads.experiments.stages import open_workshop, train
from manyheads.models import PerInstance, Perturber, Universal, gap_generator, mta_generator, seeded
from manyheads.tasks import Task, suggest
from manyheads.threats import FixedClass, Logarithmic, Objective, Targeted, TaskLoss, ThreatModel


@dataclass(frozen=True, eq=False)
class Victim:
    """A trained model with its images.

    Args:
        name: what reports call it.
        model: the model.
        tasks: all its tasks, main task first.
        train: the images that it was trained on.
        test: images that it never saw.
    """

    name: str
    model: nn.Module
    tasks: tuple[Task, ...]
    train: Source
    test: Source

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of its main task, or of its segmentation."""
        return self.train.class_names


def open_victims(experiment: GenerativeExperiment, bars: Bars, *, fabric: Fabric | None = None) -> dict[str, Victim]:
    """Load all victims that were trained, those that are only tried on included, with their data.

    One whose training is not finished is trained first.

    Args:
        experiment: whose victims.
        bars: where progress is shown.
        fabric: what this process works on; None for the experiment's devices, in one process.
    """
    return {name: _opened(name, victim, bars, fabric=fabric) for name, victim in experiment.victim_runs.items()}


def _opened(name: str, experiment: AnyVictim, bars: Bars, *, fabric: Fabric | None) -> Victim:
    files = RunFiles(experiment.run)
    match experiment:
        case Experiment():
            shop = open_workshop(experiment, files, fabric=fabric)
            model = train(shop, bars)
        case DenseExperiment():
            shop = open_dense_workshop(experiment, files, fabric=fabric)
            model = train_dense(shop, bars)
    model.zero_grad(set_to_none=True)  # what training left behind
    return Victim(
        name, model.eval().requires_grad_(requires_grad=False), shop.tasks, shop.splits.train, shop.splits.test
    )


def part_of(source: Source, examples: int | None) -> Source:
    """Draw so many examples; None, or more than there are, for all."""
    return source if examples is None or examples >= len(source) else take(source, count=examples, seed=0)


def targets_of(experiment: GenerativeExperiment, victims: Mapping[str, Victim]) -> dict[str, int]:
    """Find the number of the wanted class for each victim, by its name; empty for an untargeted attack.

    Raises:
        ValueError: if a victim has no such class.
    """
    if experiment.target is None:
        return {}
    for name in experiment.victims:
        if experiment.target not in victims[name].class_names:
            hint = suggest(experiment.target, known=victims[name].class_names)
            raise ValueError(f"the victim {name!r} has no class {experiment.target!r} to aim at; {hint}")
    return {name: victims[name].class_names.index(experiment.target) for name in experiment.victims}


def goals(experiment: GenerativeExperiment, victims: Mapping[str, Victim]) -> Iterator[tuple[str, Victim, Objective]]:
    """List what each decoder is for: its task, the victim, and what the attacker wants of it."""
    targets = targets_of(experiment, victims)
    for name in experiment.victims:
        victim = victims[name]
        if experiment.dense:
            yield from ((task.name, victim, TaskLoss(victim.tasks, {task.name: 1.0})) for task in victim.tasks)
        elif targets:
            yield name, victim, Targeted(victim.tasks[0], FixedClass(targets[name]))
        else:
            yield name, victim, TaskLoss(victim.tasks, {victim.tasks[0].name: 1.0})


def threats_of(experiment: GenerativeExperiment, victims: Mapping[str, Victim]) -> dict[str, ThreatModel]:
    """Make the threat model of each task, by the task, after which it is named: what counts in evaluation."""
    return {
        task: _threat(experiment, task, victim=victim, objective=objective)
        for task, victim, objective in goals(experiment, victims)
    }


def trained_threats_of(experiment: GenerativeExperiment, victims: Mapping[str, Victim]) -> dict[str, ThreatModel]:
    """Make the threat models that training raises: of what the attacker wants, or of its logarithm."""
    plain = experiment.training.raised == "loss"
    return {
        task: _threat(experiment, task, victim=victim, objective=objective if plain else Logarithmic(objective))
        for task, victim, objective in goals(experiment, victims)
    }


def _threat(experiment: GenerativeExperiment, task: str, *, victim: Victim, objective: Objective) -> ThreatModel:
    return ThreatModel(name=task, model=victim.model, tasks=victim.tasks, objective=objective, budget=experiment.budget)


def make_perturber(experiment: GenerativeExperiment, *, image_shape: tuple[int, int, int]) -> Perturber:
    """Make the generator with its initial weights, which depend on the seed alone.

    Tasks that share their images share the pattern of a universal generator too, so that a shared encoder runs once.

    Args:
        experiment: describes it.
        image_shape: channels, height and width of all victims' images.
    """
    wanted, tasks = experiment.generator, experiment.tasks
    maker = mta_generator if wanted.method == "mta" else gap_generator

    def build() -> Perturber:
        generator = maker(tasks, channels=image_shape[0], width=wanted.width, blocks=wanted.blocks)
        if wanted.kind == "per_instance":
            return PerInstance(generator)
        patterns = dict.fromkeys(tasks, "all") if experiment.dense else None
        return Universal(generator, size=(image_shape[1], image_shape[2]), seed=experiment.seed, patterns=patterns)

    return seeded(build, seed=experiment.seed)
