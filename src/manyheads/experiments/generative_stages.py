"""The stages of a generative run: open the victims, train the generator, attack. None works twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from lightning_fabric import Fabric
from torch import Tensor

from manyheads.attacks import Attack, Generative
from manyheads.data import Joint, Loader, Source
from manyheads.evaluation import Facts, dense_scores, evaluate, fooling_scores, joined
from manyheads.experiments.balance import combination
from manyheads.experiments.dense_gallery import DenseGallery
from manyheads.experiments.dense_record import DenseRecord
from manyheads.experiments.devices import loader_of
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.gallery import Gallery
from manyheads.experiments.generative_experiment import GenerativeExperiment
from manyheads.experiments.generative_materials import (
    Victim,
    make_perturber,
    open_victims,
    part_of,
    targets_of,
    threats_of,
    trained_threats_of,
)
from manyheads.experiments.guard_record import code_version
from manyheads.experiments.progress import Advance, Bars
from manyheads.models import Perturber
from manyheads.threats import ThreatModel
from manyheads.training import Checkpoints, Fooling, Plan, fit


@dataclass(frozen=True, eq=False)
class GenerativeWorkshop:
    """A generative experiment with all that is needed to carry it out.

    Args:
        experiment: what is carried out.
        files: where everything lies.
        victims: the trained victims, by name, those that are only tried on included.
        threats: who attacks what, by the generator's task.
        perturber: the generator, with its initial weights until it is trained.
        fabric: what this process works on, perhaps as one of several.
    """

    experiment: GenerativeExperiment
    files: RunFiles
    victims: Mapping[str, Victim]
    threats: Mapping[str, ThreatModel]
    perturber: Perturber
    fabric: Fabric

    def loader(self, source: Source) -> Loader:
        """Batches of this process's part of some images, in their own order."""
        wanted = self.experiment
        return loader_of(source, self.fabric, experiment=wanted, batch_size=wanted.batch_size)


def open_generative_workshop(
    experiment: GenerativeExperiment, files: RunFiles, bars: Bars, *, fabric: Fabric | None = None
) -> GenerativeWorkshop:
    """Load the victims and their images, and make the generator.

    Args:
        experiment: what will be carried out.
        files: where everything lies.
        bars: where progress is shown.
        fabric: what this process works on; None for the experiment's devices, in one process.

    Raises:
        ValueError: if the victims' images differ in size, or one has not the target class.
    """
    fabric = fabric or experiment.fabric.alone()
    victims = open_victims(experiment, bars, fabric=fabric)
    shapes = {victim.train.image_shape for victim in victims.values()}
    if len(shapes) > 1:
        found = ", ".join("×".join(map(str, shape)) for shape in sorted(shapes))
        raise ValueError(f"the victims of one generator see images of one size, got {found}; set their sizes alike")
    threats = threats_of(experiment, victims)
    perturber = make_perturber(experiment, image_shape=shapes.pop())
    return GenerativeWorkshop(experiment, files, victims, threats, perturber, fabric)


def train_generator(shop: GenerativeWorkshop, bars: Bars) -> Perturber:
    """Train the generator, or go on with it, and return it with its last weights.

    Raises:
        ValueError: if the run's folder holds another experiment.
    """
    experiment, wanted = shop.experiment, shop.experiment.training
    step = Fooling(trained_threats_of(experiment, shop.victims))
    plan = Plan(
        epochs=wanted.epochs,
        schedule=wanted.schedule,
        checkpoints=Checkpoints(shop.files.weights),
        seed=experiment.seed,
    )
    optimizer = wanted.optimizer.build(shop.perturber.parameters())
    weights = dict.fromkeys(experiment.tasks, 1 / len(experiment.tasks))
    combine = combination(wanted.combine, weights=weights)
    if shop.fabric.is_global_zero:
        shop.files.claim(experiment)  # only now: everything above may be refused
    with bars.bar(f"train {experiment.name}") as advance:
        watched = replace(plan, watch=lambda done, _: advance(done))
        history = fit(
            shop.perturber,
            step,
            _batches(shop),
            optimizer=optimizer,
            combine=combine,
            fabric=shop.fabric,
            plan=watched,
        )
    if shop.fabric.is_global_zero:
        keep(shop.files.history, pl.DataFrame(list(history)))
        if not shop.files.model.exists():  # a run that goes on was trained by the code that stands there already
            keep(shop.files.model, _record(shop).to_json().encode())
    return shop.perturber


def _batches(shop: GenerativeWorkshop) -> Joint | Loader:
    """Of a dense victim one loader, whose images all tasks share; of classifiers one for each."""
    wanted = shop.experiment
    loaders = {
        name: loader_of(
            shop.victims[name].train,
            shop.fabric,
            experiment=wanted,
            batch_size=wanted.training.batch_size,
            shuffle=True,
        )
        for name in wanted.victims
    }
    return next(iter(loaders.values())) if wanted.dense else Joint(loaders)


def _record(shop: GenerativeWorkshop) -> DenseRecord:
    first = shop.victims[next(iter(shop.experiment.victims))]
    counts = shop.perturber.generator.parameter_counts()
    return DenseRecord(first.class_names, first.train.image_shape, counts.shared, dict(counts.private), code_version())


@dataclass(frozen=True, eq=False)
class Foray:
    """One attack for one task on one victim: what is kept in one file of facts.

    Args:
        attack: what reports call the attack: the method, or a reference's name.
        task: whom it was made for.
        victim: name of the model that it is tried on.
    """

    attack: str
    task: str
    victim: str

    def place(self, files: RunFiles, *, eps: float) -> tuple[Path, Path]:
        """Where its facts and its gallery lie."""
        who = f"{self.task}-on-{self.victim}"
        return files.facts_of(who, trial=self.attack, eps=eps), files.gallery_of(who, trial=self.attack, eps=eps)


def forays(experiment: GenerativeExperiment) -> tuple[Foray, ...]:
    """List all that is evaluated: the generator on its victims, then on the others, then the references."""
    method = experiment.generator.method
    own = {task: next(iter(experiment.victims)) if experiment.dense else task for task in experiment.tasks}
    listed = [Foray(method, task, victim) for task, victim in own.items()]
    listed += [Foray(method, task, other) for other in experiment.transfers for task in experiment.tasks]
    listed += [Foray(name, task, victim) for name in experiment.references for task, victim in own.items()]
    return tuple(listed)


def generative_facts_on_disk(files: RunFiles, experiment: GenerativeExperiment) -> Facts | None:
    """Read all facts of a run; None where some are not there yet.

    Raises:
        ValueError: if a file is damaged.
    """
    paths = [one.place(files, eps=experiment.budget.eps)[0] for one in forays(experiment)]
    return joined([Facts.load(path) for path in paths]) if all(path.exists() for path in paths) else None


def attack_victims(shop: GenerativeWorkshop, perturber: Perturber, bars: Bars) -> Facts:
    """Attack every victim by the generator and the references, skip what is on disk already, and return all facts."""
    return joined([_attacked(shop, perturber, bars, foray=one) for one in forays(shop.experiment)])


def _attacked(shop: GenerativeWorkshop, perturber: Perturber, bars: Bars, *, foray: Foray) -> Facts:
    experiment = shop.experiment
    facts_path, gallery_path = foray.place(shop.files, eps=experiment.budget.eps)
    if facts_path.exists():
        return Facts.load(facts_path)
    reference = experiment.references.get(foray.attack)
    search: Attack = reference if reference is not None else Generative(perturber, foray.task)
    victim = shop.victims[foray.victim]
    count = experiment.examples if reference is None else experiment.reference_examples
    gallery = DenseGallery() if experiment.dense else Gallery()
    with bars.bar(f"{foray.attack} for {foray.task} on {foray.victim}, {experiment.name}") as advance:
        facts = evaluate(
            victim.model,
            shop.threats[foray.task],
            search,
            _shown(shop.loader(part_of(victim.test, count)), advance),
            fabric=shop.fabric,
            seed=experiment.seed,
            observe=gallery.observe,
        ).labelled(model=foray.victim, attack=foray.attack)
    gallery.save(gallery_path, fabric=shop.fabric)
    if shop.fabric.is_global_zero:
        facts.save(facts_path)
    return facts


def generative_scores(shop: GenerativeWorkshop, facts: Facts) -> pl.DataFrame:
    """Score all facts: of classifiers as `fooling_scores` does, of dense models as `dense_scores`."""
    if shop.experiment.dense:
        return dense_scores(facts, next(iter(shop.victims.values())).tasks)
    targets = targets_of(shop.experiment, shop.victims)
    tables = []
    for name in shop.experiment.victims:
        victim = shop.victims[name]
        wanted = {victim.tasks[0].name: targets[name]} if targets else None
        tables.append(fooling_scores(Facts(facts.table.filter(model=name)), targets=wanted))
    return pl.concat(tables)


def _shown(loader: Loader, advance: Advance) -> Iterator[Mapping[str, Tensor]]:
    """Move the bar on whenever a batch is done."""
    for done, batch in enumerate(loader, start=1):
        yield batch
        advance(done / len(loader))
