"""Scores of tasks that are judged by a counter: one state for all examples, and an interval by resampling them."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from jaxtyping import Float64
from torch import Tensor

from manyheads.evaluation.facts import Facts
from manyheads.tasks import Counter, Task

_GROUP = ("model", "threat", "attack", "eps", "norm")
_SCHEMA = {
    **dict.fromkeys(_GROUP, pl.String),
    "eps": pl.Float64,
    **dict.fromkeys(("condition", "score", "task"), pl.String),
    "value": pl.Float64,
    "n": pl.Int64,
    **dict.fromkeys(("low", "high"), pl.Float64),
}


def dense_scores(facts: Facts, tasks: Sequence[Task], *, resamples: int = 200, seed: int = 0) -> pl.DataFrame:
    """Compute the scores of every task that is not one of classification, for each model, threat, attack and eps.

    The table is long: one row per score, with `condition` (`clean` or `attacked`), `score` (as the task's counter
    names and defines it, and the task's mean `loss`), `task`, `value` (null where nothing was counted), `n` (examples
    with a target) and `low` and `high`: 95 % of the values lie between them when as many examples are drawn again with
    replacement (bootstrap percentiles). All of a group's scores are of the same draws.

    A score is that of the sum of all examples' states, not the mean of scores per example.

    Args:
        facts: what happened to each example.
        tasks: the tasks, by whose counters the states are read; classification tasks are skipped, see `scores`.
        resamples: how often the examples are drawn again.
        seed: decides the draws.

    Raises:
        ValueError: if the facts hold states of a task that is not among the tasks, or nothing is drawn.

    Reference: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
    """
    if resamples < 1:
        raise ValueError(f"an interval needs at least one draw of the examples, got resamples={resamples}")
    by_name = {task.name: task for task in tasks}
    unread = [name for name in facts.measured if name not in by_name]
    if unread:
        raise ValueError(f"the facts speak of {', '.join(unread)}; hand in these tasks, got: {', '.join(by_name)}")
    rows = []
    for key, part in facts.table.group_by(_GROUP, maintain_order=True):
        group = dict(zip(_GROUP, key, strict=True))
        weights = _draws(len(part), resamples=resamples, seed=seed)
        for condition in ("clean", "attacked"):
            for name in facts.measured:
                judged = part[f"{name}.{condition}_state"].is_not_null()
                if judged.any():
                    shared = {**group, "condition": condition, "task": name, "n": int(judged.sum())}
                    kept = weights[:, torch.from_numpy(judged.to_numpy())]
                    measured = _measured(part.filter(judged), by_name[name], condition=condition, weights=kept)
                    rows += [{**shared, "score": score, **values} for score, values in measured.items()]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _draws(examples: int, *, resamples: int, seed: int) -> Float64[Tensor, "draws examples"]:
    """Draw how often each example counts: once in the first row, as the draw with replacement has it in the others."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(examples, np.full(examples, 1 / examples), size=resamples)
    return torch.from_numpy(np.concatenate([np.ones((1, examples)), drawn]))


def _measured(
    part: pl.DataFrame, task: Task, *, condition: str, weights: Float64[Tensor, "draws examples"]
) -> dict[str, dict[str, float | None]]:
    """Score each draw's sum of states, and its mean loss."""
    states = torch.from_numpy(np.stack(part[f"{task.name}.{condition}_state"].to_list()))
    loss = torch.from_numpy(part[f"{task.name}.{condition}_loss"].to_numpy().copy())
    scored = [_score(task.metric(), state) for state in weights @ states]
    values = {name: torch.tensor([scores[name] for scores in scored], dtype=torch.float64) for name in scored[0]}
    values["loss"] = weights @ loss / weights.sum(1)
    return {name: _interval(value) for name, value in values.items()}


def _score(counter: Counter, state: Float64[Tensor, " states"]) -> dict[str, float]:
    counter.state = state
    return counter.scores()


def _interval(values: Float64[Tensor, " draws"]) -> dict[str, float | None]:
    """Return the first value, and what 95 % of the others lie between; draws that count nothing are left out."""
    low, high = values[1:].nanquantile(values.new_tensor([0.025, 0.975])).tolist()
    found = {"value": float(values[0]), "low": low, "high": high}
    return {name: None if np.isnan(value) else value for name, value in found.items()}
