"""The stages of a run: train, guard, attack, score. Each reads files, writes files, and does nothing twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import polars as pl
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.data import Crop, Flip, Loader, Source, take
from manyheads.defences import Guard, calibrate
from manyheads.evaluation import Facts, evaluate, joined, scores
from manyheads.experiments.attackers import Assault, assaults, attack, threat
from manyheads.experiments.balance import combination
from manyheads.experiments.devices import loader_of
from manyheads.experiments.experiment import Experiment, Hardening
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.gallery import Gallery
from manyheads.experiments.guard_record import record
from manyheads.experiments.materials import Splits, make_model, make_rejector, make_tasks, open_data
from manyheads.experiments.progress import Bars
from manyheads.experiments.surrogate import train_surrogate
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.threats import TaskLoss, ThreatModel
from manyheads.threats.knowledge import TRANSFER
from manyheads.training import Adversarial, Checkpoints, Clean, Measurement, Plan, Ramped, Step, fit


@dataclass(frozen=True, eq=False)
class Workshop:
    """An experiment with all that is needed to carry it out.

    Args:
        experiment: what is carried out.
        files: where everything lies.
        splits: the data.
        tasks: all tasks, main task first.
        model: the model, with its initial weights until it is trained.
        fabric: what this process works on, perhaps as one of several.
    """

    experiment: Experiment
    files: RunFiles
    splits: Splits
    tasks: tuple[Task, ...]
    model: MultiTaskModel
    fabric: Fabric

    def loader(self, source: Source) -> Loader:
        """Batches of this process's part of a split, in the split's own order."""
        wanted = self.experiment
        return loader_of(source, self.fabric, experiment=wanted, batch_size=wanted.batch_size)

    def whole(self, source: Source) -> Loader:
        """Batches of a split in its own order, all of them for every process."""
        wanted = self.experiment
        return Loader(source, batch_size=wanted.batch_size, seed=wanted.seed, workers=wanted.workers)


def open_workshop(experiment: Experiment, files: RunFiles, *, fabric: Fabric | None = None) -> Workshop:
    """Read the data, and make tasks and model.

    Args:
        experiment: what will be carried out.
        files: where everything lies.
        fabric: what this process works on; None for the experiment's devices, in one process.

    Raises:
        FileNotFoundError: if a label map's file is not there.
        ValueError: if the data, a label map or the model is not as it should be.
    """
    splits = open_data(experiment)
    tasks = make_tasks(experiment, class_names=splits.train.class_names)
    model = make_model(experiment, tasks=tasks, image_shape=splits.train.image_shape)
    return Workshop(experiment, files, splits, tasks, model, fabric or experiment.fabric.alone())


def train(shop: Workshop, bars: Bars) -> MultiTaskModel:
    """Train the model, or go on with it, and return it with the weights that did best on the validation split.

    Raises:
        ValueError: if the run's folder holds another experiment, or the model cannot be trained like that.
    """
    wanted = shop.experiment.training
    data = shop.experiment.data
    augment = (*((Flip(),) if data.flip else ()), *((Crop(data.crop_padding),) if data.crop_padding else ()))
    model = shop.model
    checkpoints = Checkpoints(shop.files.weights)
    batches = loader_of(
        shop.splits.train,
        shop.fabric,
        experiment=shop.experiment,
        batch_size=wanted.batch_size,
        shuffle=True,
        augment=augment,
    )
    plan = Plan(
        epochs=wanted.epochs,
        schedule=wanted.schedule,
        validate=lambda trained: _validate(shop, trained),
        patience=wanted.patience,
        checkpoints=checkpoints,
        seed=shop.experiment.seed,
    )
    step, optimizer = _step(shop.tasks, wanted.hardening), wanted.optimizer.build(model.parameters())
    combine = combination(wanted.combine)
    if shop.fabric.is_global_zero:
        shop.files.claim(shop.experiment)  # only now: everything above may be refused
    with bars.bar(f"train {shop.experiment.name}") as advance:
        watched = replace(plan, watch=lambda done, _: advance(done))
        history = fit(model, step, batches, optimizer=optimizer, combine=combine, fabric=shop.fabric, plan=watched)
    if shop.fabric.is_global_zero:
        keep(shop.files.history, _table(history))
    checkpoints.load_best(model)
    return model


def guard(shop: Workshop, model: nn.Module) -> Guard:
    """Put the rejection rule around a trained model, calibrated on the validation split where that is asked for."""
    wanted = shop.experiment.rejection
    rejector = make_rejector(shop.experiment, tasks=shop.tasks)
    if wanted.threshold is not None:
        made = Guard(model, rejector, wanted.threshold)
    else:
        made = calibrate(model, rejector, shop.whole(shop.splits.validation), reject=wanted.reject)
        made = Guard(model, rejector, shop.fabric.broadcast(made.threshold))
    described = record(made, tasks=shop.tasks, image_shape=shop.splits.train.image_shape)
    if shop.files.guard.exists():  # a run that goes on was trained by the code that stands there already
        before = shop.files.read_guard()
        described = before if replace(before, commit=described.commit) == described else described
    if shop.fabric.is_global_zero:
        keep(shop.files.guard, described.to_json().encode())
    return made


def attack_all(shop: Workshop, victim: Guard, bars: Bars) -> Facts:
    """Run every trial by every attacker, skip what is on disk already, and return all facts."""
    planned = assaults(shop.experiment)
    surrogate = None
    if any(one.knowledge == TRANSFER and not _facts_of(shop.files, one).exists() for one in planned):
        with bars.bar(f"train the surrogate of {shop.experiment.name}"):
            surrogate = train_surrogate(
                shop.experiment, train=shop.splits.train, main=shop.tasks[0], fabric=shop.fabric
            )
    return joined([_attacked(shop, victim, bars, assault=one, surrogate=surrogate) for one in planned])


def facts_on_disk(files: RunFiles, experiment: Experiment) -> Facts | None:
    """Read all facts of a run; None where some are not there yet.

    Raises:
        ValueError: if a file is damaged.
    """
    paths = [_facts_of(files, one) for one in assaults(experiment)]
    return joined([Facts.load(path) for path in paths]) if all(path.exists() for path in paths) else None


def _facts_of(files: RunFiles, assault: Assault) -> Path:
    return files.facts_of(assault.knowledge, trial=assault.name, eps=assault.eps)


def _attacked(shop: Workshop, victim: Guard, bars: Bars, *, assault: Assault, surrogate: nn.Module | None) -> Facts:
    path = _facts_of(shop.files, assault)
    if path.exists():
        return Facts.load(path)
    trial, knowledge = assault.trial, assault.knowledge
    test = shop.splits.test
    if trial.examples is not None and trial.examples < len(test):
        test = take(test, count=trial.examples, seed=0)
    gallery = Gallery()
    with bars.bar(f"{knowledge} {assault.name} on {shop.experiment.name}") as advance:
        facts = evaluate(
            victim,
            threat(trial, knowledge=knowledge, guard=victim, tasks=shop.tasks, surrogate=surrogate),
            attack(trial, knowledge=knowledge, guard=victim, tasks=shop.tasks),
            _shown(shop.loader(test), advance),
            fabric=shop.fabric,
            seed=shop.experiment.seed,
            observe=gallery.observe,
        ).labelled(model=shop.experiment.name, attack=assault.name)
    gallery.save(shop.files.gallery_of(knowledge, trial=assault.name, eps=assault.eps), fabric=shop.fabric)
    if shop.fabric.is_global_zero:
        facts.save(path)
    return facts


def score(files: RunFiles, facts: Facts) -> pl.DataFrame:
    """Compute the scores and write them beside the facts."""
    table = scores(facts)
    keep(files.scores, table)
    return table


def _shown(loader: Loader, advance: Callable[[float], None]) -> Iterator[Mapping[str, Tensor]]:
    """Move the bar on whenever a batch is done."""
    for done, batch in enumerate(loader, start=1):
        yield batch
        advance(done / len(loader))


def _step(tasks: Sequence[Task], hardening: Hardening | None) -> Step:
    if hardening is None:
        return Clean(tasks)
    step = Adversarial(tasks, {tasks[0].name: 1.0}, hardening.attack, hardening.budget)
    return Ramped(step, hardening.ramp) if hardening.ramp else step


def _validate(shop: Workshop, model: nn.Module) -> dict[str, float]:
    """Measure clean and robust accuracy of the main task on the validation split.

    A model that is trained plainly is chosen by its clean accuracy: under attack it would be chosen by noise.
    """
    wanted = shop.experiment.training
    main = shop.tasks[0]
    held_out = shop.splits.validation
    count = min(wanted.selection_examples, len(held_out))
    batches = shop.loader(take(held_out, count=count, seed=0))
    hardening = wanted.hardening
    budget = (hardening or Hardening()).budget
    objective = TaskLoss(shop.tasks, {main.name: 1.0})
    threat_model = ThreatModel(name="selection", model=model, tasks=shop.tasks, objective=objective, budget=budget)
    facts = evaluate(
        model, threat_model, wanted.selection, batches, fabric=shop.fabric, seed=shop.experiment.seed
    ).table
    right = {
        when: int((facts[f"{main.name}.{when}"] == facts[f"{main.name}.truth"]).sum()) / len(facts)
        for when in ("clean", "attacked")
    }
    return right | {"robust": right["attacked" if hardening else "clean"]}


def _table(history: Sequence[Measurement]) -> pl.DataFrame:
    names = [field.name for field in fields(Measurement)]
    return pl.DataFrame([astuple(line) for line in history], schema=names, orient="row")
