"""Scores: shares of examples, with 95 % intervals, computed from facts."""

import polars as pl

from manyheads.evaluation.facts import Facts
from manyheads.evaluation.intervals import wilson

GROUP = ("model", "threat", "attack", "eps", "norm", "main")
"""What the rows of facts are counted together by."""

SCHEMA = {
    **dict.fromkeys(GROUP, pl.String),
    "eps": pl.Float64,
    **dict.fromkeys(("condition", "score", "task"), pl.String),
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
    "n": pl.Int64,
}
"""Columns of a table of scores."""


def scores(facts: Facts) -> pl.DataFrame:
    """Compute every score for each model, threat, attack and eps.

    The table is long: one row per score, with `condition` (`clean` or `attacked`), `score`, `task`, `value` (a share
    in [0, 1], null where nothing was counted), `low` and `high` (95 % Wilson interval) and `n`. The scores are

    - `accuracy`: of each classification head, rejections ignored, among the examples that have the task;
    - `accepted_accuracy`: of the main head among accepted inputs;
    - `rejection_rate`: rejected inputs among all;
    - `accuracy_with_rejection`: clean, right and accepted inputs among all (a rejection counts as an error); attacked,
      right or rejected inputs among all (a rejection counts as a success: robust accuracy with reject option);
    - `accepted_error`: accepted wrong inputs among all;
    - `all_fooled` and `any_fooled`: inputs on which all classification heads answer wrongly, and on which at least one
      does, rejections ignored; of two heads or more, whose names make up `task`, joined by `+`.

    All but the rejection rate leave out examples whose class is unknown, the last two those that lack any of the tasks.
    Where the main task is not one of classification there is only the rejection rate; `dense_scores` speaks of the
    others.
    """
    rows = []
    for key, part in facts.table.group_by(GROUP, maintain_order=True):
        group = dict(zip(GROUP, key, strict=True))
        for condition in ("clean", "attacked"):
            counts = _counts(part, main=str(group["main"]), condition=condition, tasks=facts.classified)
            rows += [
                {**group, "condition": condition, "score": score, "task": task, **share(count, trials)}
                for (score, task), (count, trials) in counts.items()
            ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _counts(
    part: pl.DataFrame, *, main: str, condition: str, tasks: tuple[str, ...]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Count successes and trials of each score."""
    counts = {}
    for task in tasks:
        truth = part[f"{task}.truth"]
        if truth.count():  # of what is not null: facts of a model without this task may stand in the same table
            counts["accuracy", task] = (int((truth == part[f"{task}.{condition}"]).sum()), truth.count())
    counts |= _joint_counts(part, condition=condition, tasks=[task for _, task in counts])
    rejections = part[f"rejected_{condition}"]
    counts["rejection_rate", main] = (int(rejections.sum()), len(part))
    if main in tasks:
        counts |= _main_counts(part.drop_nulls(f"{main}.truth"), main=main, condition=condition)
    return counts


def _joint_counts(part: pl.DataFrame, *, condition: str, tasks: list[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Count the examples on which several heads err together, or any of them."""
    if len(tasks) < 2:
        return {}
    judged = part.drop_nulls([f"{task}.truth" for task in tasks])
    wrong = [pl.col(f"{task}.truth") != pl.col(f"{task}.{condition}") for task in tasks]
    all_wrong, any_wrong = judged.select(pl.all_horizontal(wrong).sum(), any=pl.any_horizontal(wrong).sum()).row(0)
    together = "+".join(tasks)
    return {("all_fooled", together): (all_wrong, len(judged)), ("any_fooled", together): (any_wrong, len(judged))}


def _main_counts(part: pl.DataFrame, *, main: str, condition: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Count what the guard makes of the main head's answers."""
    right = part[f"{main}.truth"] == part[f"{main}.{condition}"]
    rejected = part[f"rejected_{condition}"]
    good = (right & ~rejected) if condition == "clean" else (right | rejected)
    return {
        ("accepted_accuracy", main): (int((right & ~rejected).sum()), int((~rejected).sum())),
        ("accuracy_with_rejection", main): (int(good.sum()), len(part)),
        ("accepted_error", main): (int((~right & ~rejected).sum()), len(part)),
    }


def share(count: int, trials: int) -> dict[str, float | int | None]:
    """Turn a count into a share with its 95 % Wilson interval, all null where nothing was counted."""
    if trials == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    low, high = wilson(count, trials=trials)
    return {"value": count / trials, "low": low, "high": high, "n": trials}
