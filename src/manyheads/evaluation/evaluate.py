"""Evaluation: attack every example, and believe nothing but what the returned images do to the model."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import Attack
from manyheads.defences import Decision, Guard, beside
from manyheads.evaluation.facts import Facts
from manyheads.randomness import Streams
from manyheads.tasks import UNKNOWN_CLASS, CrossEntropy, Task, known
from manyheads.threats import Budget, Loss, ThreatModel, in_eval_mode
from manyheads.types import Batch, Image, Outputs, Truth

_Column = Sequence[object] | Tensor | pl.Series
_DTYPES = {torch.float64: pl.Float64, torch.int64: pl.Int64, torch.bool: pl.Boolean}


@dataclass(frozen=True, eq=False)
class Attacked:
    """One attacked batch, with everything that was seen of it.

    Args:
        index: the examples' numbers in their data set.
        clean: the images before the attack.
        image: the images after it.
        truth: the true answers, by task name.
        before: the victim's outputs on the clean images.
        after: the victim's outputs on the attacked images.
        decisions: the guard's decisions before and after, None without a guard.
    """

    index: Tensor
    clean: Image
    image: Image
    truth: Truth
    before: Outputs
    after: Outputs
    decisions: tuple[Decision, Decision] | None


def evaluate(
    victim: nn.Module,
    threat: ThreatModel,
    attack: Attack,
    batches: Iterable[Batch],
    *,
    fabric: Fabric | None = None,
    seed: int = 0,
    observe: Callable[[Attacked], None] | None = None,
) -> Facts:
    """Attack every example once and record what happened.

    Every result is recomputed without autocast from the image that the attack returned, and the attack works on a copy
    of the batch. Random numbers depend on the seed and each example's index: neither batch size nor the number of
    processes changes a fact, and an attacker who starts with what another does finds what the other finds.

    Of a classification task the facts hold truth and answers; of any other task each example's loss and what it adds to
    the task's counter, from which `dense_scores` makes scores. An example without a target has null there.

    Batches are moved to the victim's device; the threat's model must be on the same one. With several processes every
    process gives its own part of the examples and returns the facts of all; an example that two processes were given,
    as samplers do to even their parts out, counts once.

    Args:
        victim: a guard, or a model that maps images to a dict of outputs.
        threat: who attacks, knowing what; its model may be another than the victim's (a transfer attack).
        attack: the search for images.
        batches: dict batches with `image` and annotations; without an `index` the examples are counted.
        fabric: devices and processes; both models are moved to its device. None for one process, models where they are.
        seed: decides the attack's random numbers.
        observe: called with each attacked batch, for galleries and the like.

    Raises:
        ValueError: if an attack leaves its budget, needs to know when it has won and nobody says, or there is nothing
            to attack; or if there is no `index` with several processes.
    """
    if fabric is not None:
        fabric.to_device(victim)
        fabric.to_device(threat.model)
    guard = victim if isinstance(victim, Guard) else None
    parts = []
    seen = 0
    for given in batches:
        batch = _numbered(beside(victim, given), start=seen, fabric=fabric)
        seen += len(batch["image"])
        with torch.autocast(device_type=batch["image"].device.type, enabled=False):
            image = _attack_copy(batch, threat, attack, seed=seed)
            attacked = _observe(victim, guard, threat, batch=batch, image=image)
            parts.append(_rows(attacked, threat, attack, loss=threat.loss(batch)))
        if observe is not None:
            observe(attacked)
    table = _gathered(parts, fabric)
    main = guard.rejector.main if guard is not None else attacked_task(threat)
    return Facts(table.with_columns(pl.lit(main).alias("main")).sort("index"))


def _numbered(batch: dict[str, Tensor], *, start: int, fabric: Fabric | None) -> dict[str, Tensor]:
    """Count the examples where they have no number yet."""
    if "index" in batch:
        return batch
    if fabric is not None and fabric.world_size > 1:
        raise ValueError("with several processes each batch needs an `index`, the examples' numbers in their data set")
    image = batch["image"]
    return {**batch, "index": torch.arange(start, start + len(image), device=image.device)}


def _attack_copy(batch: Batch, threat: ThreatModel, attack: Attack, *, seed: int) -> Tensor:
    """Run the attack on a copy, so that it can change neither the clean images nor the truth."""
    copy = {name: value.clone() for name, value in batch.items()}
    streams = Streams.of_examples(batch["index"], seed=seed, stage="evaluate")
    return attack(threat.loss(copy), copy["image"], threat.budget, rng=streams)


@torch.no_grad()
def _observe(victim: nn.Module, guard: Guard | None, threat: ThreatModel, *, batch: Batch, image: Tensor) -> Attacked:
    """Check the returned images and run the victim on them."""
    clean = batch["image"]
    check_budget(image, clean=clean, budget=threat.budget)
    with in_eval_mode(victim):
        before, after = victim(clean), victim(image)
    decisions = (guard.decide(before), guard.decide(after)) if guard is not None else None
    return Attacked(batch["index"], clean, image, threat.truth(batch), before, after, decisions)


def check_budget(image: Tensor, *, clean: Image, budget: Budget) -> None:
    """Refuse images that the attacker was not allowed to choose.

    Raises:
        ValueError: if their shape or type is not that of the clean images, or one of them is outside the budget.
    """
    if image.shape != clean.shape or image.dtype != clean.dtype:
        raise ValueError(
            f"an attack returns images like those it got, {tuple(clean.shape)} {clean.dtype}; "
            f"got {tuple(image.shape)} {image.dtype}"
        )
    outside = ~budget.contains(image, clean)
    if outside.any():
        worst = float(budget.size(image - clean).max())
        raise ValueError(
            f"{int(outside.sum())} of {len(image)} attacked images are outside the budget {budget} or outside [0, 1] "
            f"(largest size {worst:.6g}, pixels from {float(image.min()):.6g} to {float(image.max()):.6g}); "
            "project inside the attack"
        )


@torch.no_grad()
def _rows(attacked: Attacked, threat: ThreatModel, attack: Attack, *, loss: Loss) -> pl.DataFrame:
    """Write one row per example."""
    count = len(attacked.index)
    columns: dict[str, _Column] = {
        "index": attacked.index,
        "size": threat.budget.size(attacked.image - attacked.clean).double(),
        "won": loss.won(attacked.image) if loss.knows_success else [None] * count,
        "loss_clean": loss(attacked.clean).double(),
        "loss_attacked": loss(attacked.image).double(),
    }
    for when, place in (("clean", 0), ("attacked", 1)):
        decision = attacked.decisions[place] if attacked.decisions is not None else None
        columns[f"score_{when}"] = decision.score.double() if decision else [None] * count
        columns[f"rejected_{when}"] = decision.rejected if decision else [False] * count
    for task in threat.tasks:
        columns |= _answers(task, attacked) if isinstance(task.loss, CrossEntropy) else _measurements(task, attacked)
    data = {name: _copied(value) if isinstance(value, Tensor) else value for name, value in columns.items()}
    schema = {"score_clean": pl.Float64, "score_attacked": pl.Float64, "won": pl.Boolean}
    return pl.DataFrame(data, schema_overrides=schema).with_columns(
        pl.lit(type(threat.model).__name__).alias("model"),
        pl.lit(threat.name).alias("threat"),
        pl.lit(type(attack).__name__).alias("attack"),
        pl.lit(float(threat.budget.eps)).alias("eps"),
        pl.lit(type(threat.budget).__name__).alias("norm"),
    )


def _copied(column: Tensor) -> pl.Series:
    """Copy numbers into memory of the table's own.

    A table over the tensor's memory would keep it, between larger tensors that come and go: the process then grows with
    every batch.
    """
    return pl.Series(column.tolist(), dtype=_DTYPES[column.dtype])


def _answers(task: Task, attacked: Attacked) -> dict[str, _Column]:
    """Write the true class, null where it is unknown, and both answers."""
    truth = _copied(attacked.truth[task.name])
    return {
        f"{task.name}.truth": truth.replace(UNKNOWN_CLASS, None),
        f"{task.name}.clean": attacked.before[task.name].argmax(1),
        f"{task.name}.attacked": attacked.after[task.name].argmax(1),
    }


def _measurements(task: Task, attacked: Attacked) -> dict[str, _Column]:
    """Write each example's loss and what it adds to the task's counter, null where there is no target."""
    truth, columns = attacked.truth[task.name], {}
    judged = pl.Series(known(truth).cpu().numpy())
    for when, outputs in (("clean", attacked.before), ("attacked", attacked.after)):
        values = {"loss": task.loss(outputs[task.name], truth).double()}
        values["state"] = task.metric().count(outputs[task.name], truth)
        for what, value in values.items():
            # A row of states becomes a list of any length: counters of two models' tasks may differ in it.
            kept = pl.Series(value.cpu().numpy()).cast(pl.List(pl.Float64) if value.ndim == 2 else pl.Float64)
            columns[f"{task.name}.{when}_{what}"] = pl.select(pl.when(judged).then(kept)).to_series()
    return columns


def attacked_task(threat: ThreatModel) -> str:
    """Name of the task that the attacker wants wrong, for a victim without a guard."""
    objective = getattr(threat.objective, "goal", threat.objective)
    weights = getattr(objective, "weights", None)
    task = getattr(objective, "task", None)
    if weights:
        return next(iter(weights))
    return getattr(task, "name", task) or threat.tasks[0].name


def _gathered(parts: list[pl.DataFrame], fabric: Fabric | None) -> pl.DataFrame:
    """Put the rows of all batches, and of all processes, under each other."""
    if fabric is not None and fabric.world_size > 1:
        everyones: list[list[pl.DataFrame]] = [[] for _ in range(fabric.world_size)]
        torch.distributed.all_gather_object(everyones, parts)
        parts = [part for theirs in everyones for part in theirs]
    if not parts:
        raise ValueError("there is nothing to attack: the batches are empty")
    table = pl.concat(parts)
    return table.unique("index", keep="first") if fabric is not None and fabric.world_size > 1 else table
