"""The stages of a run: train, guard, attack, score. Each reads files, writes files, and does nothing twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cached_property

import polars as pl
from torch import nn

from manyheads.attacks import BIM, MIM, PGD
from manyheads.data import Crop, Flip, Loader, Source, take
from manyheads.defences import Guard, calibrate
from manyheads.evaluation import Facts, evaluate, joined, scores
from manyheads.experiments.attackers import attack, known, threat
from manyheads.experiments.experiment import Experiment, Hardening, Knowledge, Trial
from manyheads.experiments.files import RunFiles
from manyheads.experiments.gallery import Gallery
from manyheads.experiments.guard_record import record
from manyheads.experiments.materials import Splits, make_model, make_rejector, make_tasks, open_data
from manyheads.experiments.progress import Bars
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.threats import TaskLoss, ThreatModel
from manyheads.training import Adversarial, Checkpoints, Clean, Measurement, Plan, Ramped, Step, fit


@dataclass(frozen=True, eq=False)
class Workshop:
    """An experiment with its data and tasks at hand; what is expensive is made when first asked for."""

    experiment: Experiment
    files: RunFiles

    @cached_property
    def splits(self) -> Splits:
        """The data."""
        return open_data(self.experiment)

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks, main task first."""
        return make_tasks(self.experiment, class_names=self.splits.train.class_names)

    def model(self) -> MultiTaskModel:
        """Make a model with its initial weights."""
        return make_model(self.experiment, tasks=self.tasks, image_shape=self.splits.train.image_shape)

    def loader(self, source: Source) -> Loader:
        """Batches of a split in its own order."""
        wanted = self.experiment
        return Loader(source, batch_size=wanted.batch_size, seed=wanted.seed, workers=wanted.workers)


def train(shop: Workshop, bars: Bars) -> MultiTaskModel:
    """Train the model, or go on with it, and return it with the weights that did best on the validation split."""
    wanted = shop.experiment.training
    data = shop.experiment.data
    augment = (*((Flip(),) if data.flip else ()), *((Crop(data.crop_padding),) if data.crop_padding else ()))
    model = shop.model()
    checkpoints = Checkpoints(shop.files.weights)
    batches = Loader(
        shop.splits.train,
        batch_size=wanted.batch_size,
        seed=shop.experiment.seed,
        shuffle=True,
        augment=augment,
        workers=shop.experiment.workers,
    )
    with bars.bar(f"train {shop.experiment.name}") as advance:
        history = fit(
            model,
            _step(shop.tasks, wanted.hardening),
            batches,
            optimizer=wanted.optimizer.build(model.parameters()),
            plan=Plan(
                epochs=wanted.epochs,
                schedule=wanted.schedule,
                validate=lambda trained: _validate(shop, trained),
                patience=wanted.patience,
                checkpoints=checkpoints,
                seed=shop.experiment.seed,
                watch=lambda done, _: advance(done),
            ),
        )
    shop.files.write_history(_table(history))
    checkpoints.load_best(model)
    return model


def guard(shop: Workshop, model: nn.Module) -> Guard:
    """Put the rejection rule around a trained model, calibrated on the validation split where that is asked for."""
    wanted = shop.experiment.rejection
    rejector = make_rejector(shop.experiment, tasks=shop.tasks)
    if wanted.threshold is not None:
        made = Guard(model, rejector, wanted.threshold)
    else:
        made = calibrate(model, rejector, shop.loader(shop.splits.validation), reject=wanted.reject)
    described = record(made, tasks=shop.tasks, image_shape=shop.splits.train.image_shape)
    shop.files.guard.write_text(described.to_json())
    return made


def attack_all(shop: Workshop, victim: Guard, bars: Bars) -> Facts:
    """Run every trial with every attacker, skip what is on disk already, and return all facts."""
    wanted = shop.experiment
    names = {knowledge for trial in wanted.trials.values() for knowledge in trial.knowledge}
    parts = []
    for name, trial in wanted.trials.items():
        for knowledge in known(trial, hidden=len(wanted.hidden)):
            parts.append(_attacked(shop, victim, bars, work=_Work(name, trial, knowledge)))
    for eps in wanted.sweep:
        trial = _resized(wanted.trials[wanted.sweep_trial], eps=eps, examples=wanted.sweep_examples)
        for knowledge in sorted(names & {"gray-box", "adaptive"}, reverse=True):
            parts.append(_attacked(shop, victim, bars, work=_Work(wanted.sweep_trial, trial, knowledge)))
    return joined(parts)


@dataclass(frozen=True)
class _Work:
    """One trial by one attacker."""

    name: str
    trial: Trial
    knowledge: Knowledge


def _attacked(shop: Workshop, victim: Guard, bars: Bars, *, work: _Work) -> Facts:
    eps = float(work.trial.budget.eps)
    path = shop.files.facts_of(work.knowledge, trial=work.name, eps=eps)
    if path.exists():
        return Facts.load(path)
    test = shop.splits.test
    if work.trial.examples is not None and work.trial.examples < len(test):
        test = take(test, count=work.trial.examples, seed=0)
    model = threat(work.trial, knowledge=work.knowledge, guard=victim, tasks=shop.tasks)
    gallery = Gallery()
    batches = shop.loader(test)
    with bars.bar(f"{work.knowledge} {work.name} on {shop.experiment.name}") as advance:
        facts = evaluate(
            victim,
            model,
            attack(work.trial),
            (_shown(batch, advance, done / len(batches)) for done, batch in enumerate(batches)),
            seed=shop.experiment.seed,
            observe=gallery.observe,
        ).labelled(model=shop.experiment.name, attack=work.name)
    gallery.save(shop.files.gallery_of(work.knowledge, trial=work.name, eps=eps))
    facts.save(path)
    return facts


def score(shop: Workshop, facts: Facts) -> pl.DataFrame:
    """Compute the scores and write them beside the facts."""
    table = scores(facts)
    table.write_parquet(shop.files.scores)
    return table


def _shown(batch: Mapping, advance: Callable[[float], None], done: float) -> Mapping:
    """Move the bar on when the next batch is asked for."""
    advance(done)
    return batch


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
    facts = evaluate(model, threat_model, wanted.selection, batches, seed=shop.experiment.seed).table
    right = {when: float((facts[f"{main.name}.{when}"] == facts[f"{main.name}.truth"]).mean()) for when in ("clean", "attacked")}
    return {"clean": right["clean"], "attacked": right["attacked"], "robust": right["attacked" if hardening else "clean"]}


def _resized(trial: Trial, *, eps: float, examples: int | None) -> Trial:
    """Give a trial another eps, and steps that grow with it."""
    ratio = eps / trial.budget.eps
    attack_ = trial.attack
    if isinstance(attack_, PGD | BIM | MIM):
        attack_ = replace(attack_, step_size=attack_.step_size * max(ratio, 1e-6))
    return replace(trial, attack=attack_, budget=replace(trial.budget, eps=eps), examples=examples or trial.examples)


def _table(history: Sequence[Measurement]) -> pl.DataFrame:
    names = [field.name for field in fields(Measurement)]
    return pl.DataFrame([astuple(line) for line in history], schema=names, orient="row")
