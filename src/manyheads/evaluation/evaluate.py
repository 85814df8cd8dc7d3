"""Evaluation: attack every example, and believe nothing but what the returned images do to the model."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from manyheads.attacks import Attack
from manyheads.defences import Decision, Guard
from manyheads.evaluation.facts import Facts
from manyheads.randomness import Streams
from manyheads.tasks import CrossEntropy
from manyheads.threats import Budget, Loss, ThreatModel, in_eval_mode
from manyheads.types import Batch, Image, Outputs, Truth


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

    Every result is recomputed in float32 from the image that the attack returned. Random numbers depend on the seed,
    the threat, and each example's index: neither batch size nor the number of processes changes a fact.

    Args:
        victim: a guard, or a model that maps images to a dict of outputs.
        threat: who attacks, knowing what; its model may be another than the victim's (a transfer attack).
        attack: the search for images.
        batches: dict batches with `image` and annotations; without an `index` the examples are counted.
        fabric: devices and processes; None for the device the batches are on.
        seed: decides the attack's random numbers.
        observe: called with each attacked batch, for galleries and the like.

    Raises:
        ValueError: if an attack leaves its budget, or there is nothing to attack.
    """
    guard = victim if isinstance(victim, Guard) else None
    parts = []
    seen = 0
    with torch.autocast(device_type=_device(fabric).type, enabled=False):
        for given in batches:
            batch = dict(given) if fabric is None else fabric.to_device(dict(given))
            batch.setdefault("index", torch.arange(seen, seen + len(batch["image"]), device=batch["image"].device))
            seen += len(batch["image"])
            streams = Streams.of_examples(batch["index"], seed=seed, stage=f"evaluate {threat.name}")
            image = attack(threat.loss(batch), batch["image"], threat.budget, rng=streams)
            attacked = _observe(victim, guard, threat, batch=batch, image=image)
            parts.append(_rows(attacked, threat, attack, loss=threat.loss(batch)))
            if observe is not None:
                observe(attacked)
    table = _gathered(parts, fabric)
    main = guard.rejector.main if guard is not None else _attacked_task(threat)
    return Facts(table.with_columns(pl.lit(main).alias("main")).sort("index"))


@torch.no_grad()
def _observe(victim: nn.Module, guard: Guard | None, threat: ThreatModel, *, batch: Batch, image: Image) -> Attacked:
    """Check the returned images and run the victim on them."""
    clean = batch["image"]
    _check_budget(image, clean=clean, budget=threat.budget)
    with in_eval_mode(victim):
        before, after = victim(clean), victim(image)
    decisions = (guard.decide(before), guard.decide(after)) if guard is not None else None
    return Attacked(batch["index"], clean, image, threat.truth(batch), before, after, decisions)


def _check_budget(image: Image, *, clean: Image, budget: Budget) -> None:
    """Refuse images that the attacker was not allowed to choose."""
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
    columns: dict[str, Sequence[object] | Tensor] = {
        "index": attacked.index,
        "size": threat.budget.size(attacked.image - attacked.clean).double(),
        "won": loss.won(attacked.image),
        "loss_clean": loss(attacked.clean).double(),
        "loss_attacked": loss(attacked.image).double(),
    }
    for when, place in (("clean", 0), ("attacked", 1)):
        decision = attacked.decisions[place] if attacked.decisions is not None else None
        columns[f"score_{when}"] = decision.score.double() if decision else [None] * len(attacked.index)
        columns[f"rejected_{when}"] = decision.rejected if decision else torch.zeros(len(attacked.index), dtype=torch.bool)
    for task in threat.tasks:
        if isinstance(task.loss, CrossEntropy):
            columns[f"{task.name}.truth"] = attacked.truth[task.name]
            columns[f"{task.name}.clean"] = attacked.before[task.name].argmax(1)
            columns[f"{task.name}.attacked"] = attacked.after[task.name].argmax(1)
    data = {name: value.cpu().numpy() if isinstance(value, Tensor) else value for name, value in columns.items()}
    schema = {"score_clean": pl.Float64, "score_attacked": pl.Float64}
    return pl.DataFrame(data, schema_overrides=schema).with_columns(
        pl.lit(type(threat.model).__name__).alias("model"),
        pl.lit(threat.name).alias("threat"),
        pl.lit(type(attack).__name__).alias("attack"),
        pl.lit(float(threat.budget.eps)).alias("eps"),
        pl.lit(type(threat.budget).__name__).alias("norm"),
    )


def _attacked_task(threat: ThreatModel) -> str:
    """Name of the task that the attacker wants wrong, for a victim without a guard."""
    weights = getattr(threat.objective, "weights", None)
    task = getattr(threat.objective, "task", None)
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
    return pl.concat(parts)


def _device(fabric: Fabric | None) -> torch.device:
    return fabric.device if fabric is not None else torch.device("cpu")
