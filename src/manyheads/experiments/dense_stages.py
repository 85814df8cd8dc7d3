"""The stages of a dense run: train, attack, measure vulnerability. Each writes files, and none works twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.data import Augmentation, Flip, Loader, RandomCrop, Source, take
from manyheads.evaluation import Facts, PixelDraws, evaluate, joined, pixel_accuracy, pixel_curve, task_curve
from manyheads.experiments.balance import combination
from manyheads.experiments.dense_attackers import DenseAssault, attacked_weights, dense_assaults, dense_threat
from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_gallery import DenseGallery
from manyheads.experiments.dense_materials import in_letters, loss_weights, make_dense_model, make_dense_tasks
from manyheads.experiments.dense_record import DenseRecord
from manyheads.experiments.dense_trial import DenseHardening
from manyheads.experiments.dense_validation import SELECTION, validate
from manyheads.experiments.devices import loader_of
from manyheads.experiments.files import RunFiles, keep
from manyheads.experiments.materials import Splits
from manyheads.experiments.progress import Advance, Bars
from manyheads.experiments.scene_data import open_scenes
from manyheads.models import MultiTaskModel
from manyheads.tasks import Task
from manyheads.training import Adversarial, Checkpoints, Clean, Plan, Ramped, Step, fit


@dataclass(frozen=True, eq=False)
class DenseWorkshop:
    """A dense experiment with all that is needed to carry it out.

    Args:
        experiment: what is carried out.
        files: where everything lies.
        splits: the frames.
        tasks: all tasks, main task first.
        model: the model, with its initial weights until it is trained.
        fabric: what this process works on, perhaps as one of several.
    """

    experiment: DenseExperiment
    files: RunFiles
    splits: Splits
    tasks: tuple[Task, ...]
    model: MultiTaskModel
    fabric: Fabric

    def loader(self, source: Source, *, examples: int | None = None) -> Loader:
        """Batches of this process's part of a split in its own order, or of so many of its frames."""
        wanted = self.experiment
        chosen = source if examples is None or examples >= len(source) else take(source, count=examples, seed=0)
        return loader_of(chosen, self.fabric, experiment=wanted, batch_size=wanted.batch_size)


def open_dense_workshop(experiment: DenseExperiment, files: RunFiles, *, fabric: Fabric | None = None) -> DenseWorkshop:
    """Read the frames, and make tasks and model.

    Args:
        experiment: what will be carried out.
        files: where everything lies.
        fabric: what this process works on; None for the experiment's devices, in one process.

    Raises:
        ValueError: if the data or the model is not as it should be.
    """
    splits = open_scenes(experiment)
    tasks = make_dense_tasks(experiment, class_names=splits.train.class_names)
    model = make_dense_model(experiment, tasks=tasks, image_shape=splits.train.image_shape)
    return DenseWorkshop(experiment, files, splits, tasks, model, fabric or experiment.fabric.alone())


def train_dense(shop: DenseWorkshop, bars: Bars) -> MultiTaskModel:
    """Train the model, or go on with it, and return it with the weights that did best on the validation split.

    Raises:
        ValueError: if the run's folder holds another experiment, or the model cannot be trained like that.
    """
    experiment, wanted = shop.experiment, shop.experiment.training
    checkpoints = Checkpoints(shop.files.weights)
    batches = loader_of(
        shop.splits.train,
        shop.fabric,
        experiment=experiment,
        batch_size=wanted.batch_size,
        shuffle=True,
        augment=_augmentations(experiment),
    )
    held_out = shop.loader(shop.splits.validation, examples=wanted.selection_examples)
    plan = Plan(
        epochs=wanted.epochs,
        schedule=wanted.schedule,
        validate=lambda trained: validate(
            trained, shop.tasks, held_out, hardening=wanted.hardening, fabric=shop.fabric
        ),
        select=SELECTION,
        patience=wanted.patience,
        checkpoints=checkpoints,
        seed=experiment.seed,
    )
    step, optimizer = _step(shop.tasks, wanted.hardening), wanted.optimizer.build(shop.model.parameters())
    combine = combination(wanted.combine, weights=loss_weights(experiment))
    if shop.fabric.is_global_zero:
        shop.files.claim(experiment)  # only now: everything above may be refused
    with bars.bar(f"train {experiment.name}") as advance:
        watched = replace(plan, watch=lambda done, _: advance(done))
        history = fit(shop.model, step, batches, optimizer=optimizer, combine=combine, fabric=shop.fabric, plan=watched)
    if shop.fabric.is_global_zero:
        keep(shop.files.history, pl.DataFrame(list(history)))
        _describe(shop)
    checkpoints.load_best(shop.model)
    return shop.model


def _describe(shop: DenseWorkshop) -> None:
    if not shop.files.model.exists():  # a run that goes on was trained by the code that stands there already
        described = DenseRecord.of(
            shop.model, class_names=shop.splits.train.class_names, image_shape=shop.splits.train.image_shape
        )
        keep(shop.files.model, described.to_json().encode())


def attack_dense(shop: DenseWorkshop, model: nn.Module, bars: Bars) -> Facts:
    """Run every trial by every attacker, skip what is on disk already, and return all facts."""
    return joined([_attacked(shop, model, bars, assault=one) for one in dense_assaults(shop.experiment)])


def dense_facts_on_disk(files: RunFiles, experiment: DenseExperiment) -> Facts | None:
    """Read all facts of a run; None where some are not there yet.

    Raises:
        ValueError: if a file is damaged.
    """
    paths = [_facts_of(files, one) for one in dense_assaults(experiment)]
    return joined([Facts.load(path) for path in paths]) if all(path.exists() for path in paths) else None


def measure_vulnerability(shop: DenseWorkshop, model: nn.Module, bars: Bars) -> None:
    """Measure the vulnerability that is planned, unless it is on disk already.

    The table holds the curve over tasks, and if planned that over output pixels and the accuracy of attacked pixels;
    its column `over` (`tasks`, `pixels`, `pixel accuracy`) says which, and what one of them lacks is null.
    """
    plan, files = shop.experiment.vulnerability, shop.files
    if plan is None or files.vulnerability.exists():
        return
    with bars.bar(f"vulnerability of {shop.experiment.name}") as advance:
        batches = shop.loader(shop.splits.test, examples=plan.examples)
        seed, budget = shop.experiment.seed, plan.budget
        curve = task_curve(model, shop.tasks, batches, budget=budget, draws=plan.draws, seed=seed)
        tables = {"tasks": curve}
        advance(0.3)
        if plan.pixels:
            named = {task.name: task for task in shop.tasks}["segmentation"]
            draws = PixelDraws(plan.pixels, plan.draws, seed)
            tables["pixels"] = pixel_curve(model, named, batches, budget=budget, draws=draws)
            tables["pixel accuracy"] = pixel_accuracy(
                model, named, batches, budget=budget, attacks=plan.attacks, draws=draws
            )
        labelled = [table.with_columns(pl.lit(name).alias("over")) for name, table in tables.items()]
        keep(files.vulnerability, pl.concat(labelled, how="diagonal_relaxed"))


def _facts_of(files: RunFiles, assault: DenseAssault) -> Path:
    return files.facts_of(assault.threat, trial=assault.name, eps=assault.eps)


def _attacked(shop: DenseWorkshop, model: nn.Module, bars: Bars, *, assault: DenseAssault) -> Facts:
    path = _facts_of(shop.files, assault)
    if path.exists():
        return Facts.load(path)
    gallery = DenseGallery()
    with bars.bar(f"{assault.threat} {assault.name} at {assault.eps:.4g} on {shop.experiment.name}") as advance:
        facts = evaluate(
            model,
            dense_threat(assault.trial, attacked=assault.attacked, model=model, tasks=shop.tasks),
            assault.attack,
            _shown(shop.loader(shop.splits.test, examples=assault.trial.examples), advance),
            fabric=shop.fabric,
            seed=shop.experiment.seed,
            observe=gallery.observe,
        ).labelled(model=in_letters(shop.experiment), attack=assault.name)
    gallery.save(shop.files.gallery_of(assault.threat, trial=assault.name, eps=assault.eps), fabric=shop.fabric)
    if shop.fabric.is_global_zero:
        facts.save(path)
    return facts


def _shown(loader: Loader, advance: Advance) -> Iterator[Mapping[str, Tensor]]:
    """Move the bar on whenever a batch is done."""
    for done, batch in enumerate(loader, start=1):
        yield batch
        advance(done / len(loader))


def _augmentations(experiment: DenseExperiment) -> tuple[Augmentation, ...]:
    wanted = experiment.scenes
    crop = () if wanted.crop is None else (RandomCrop(*wanted.crop),)
    return (*crop, *((Flip(),) if wanted.flip else ()))


def _step(tasks: tuple[Task, ...], hardening: DenseHardening | None) -> Step:
    if hardening is None:
        return Clean(tasks)
    raised = attacked_weights(tasks, attacked=hardening.attacked)
    step = Adversarial(tasks, raised, hardening.attack, hardening.budget)
    return Ramped(step, hardening.ramp) if hardening.ramp else step
