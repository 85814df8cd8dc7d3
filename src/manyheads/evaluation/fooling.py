"""How well an attack fools classifiers: changed answers, hit targets, and what carries over to other victims."""

from collections.abc import Mapping

import polars as pl

from manyheads.evaluation.facts import Facts
from manyheads.evaluation.scores import GROUP, SCHEMA, share


def fooling_scores(facts: Facts, *, targets: Mapping[str, int] | None = None) -> pl.DataFrame:
    """Compute how often classification heads are fooled, for each model, threat, attack and eps.

    The table is long and has the columns of `scores`. The scores are, attacked,

    - `fooling_ratio`: of all examples those whose answer the attack changes, right or wrong, labelled or not;
    - `accuracy`: right answers among the examples whose class is known;
    - `target_accuracy`: of all examples those for which the head answers the target, whatever their class is;

    and, clean, the last two.

    Args:
        facts: what happened to each example.
        targets: the class that the attacker wants, by task name; tasks without one have no target accuracy.

    Raises:
        ValueError: if a target is of no classification task.

    Reference: Guo et al. 2020 (MTA), section 4; Moosavi-Dezfooli et al., CVPR 2017 (fooling ratio).
    """
    targets = targets or {}
    unknown = [name for name in targets if name not in facts.classified]
    if unknown:
        raise ValueError(
            f"targets are given for {', '.join(unknown)}, but the facts' classification tasks are "
            f"{', '.join(facts.classified) or 'none'}"
        )
    rows = []
    for key, part in facts.table.group_by(GROUP, maintain_order=True):
        group = dict(zip(GROUP, key, strict=True))
        for task in facts.classified:
            # Facts of a model without this task may stand in the same table.
            counts = _counts(part.drop_nulls(f"{task}.attacked"), task, target=targets.get(task))
            rows += [
                {**group, "condition": condition, "score": score, "task": task, **share(count, trials)}
                for (condition, score), (count, trials) in counts.items()
            ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _counts(part: pl.DataFrame, task: str, *, target: int | None) -> dict[tuple[str, str], tuple[int, int]]:
    """Count successes and trials of each condition and score."""
    if part.is_empty():
        return {}
    answers = {condition: part[f"{task}.{condition}"] for condition in ("clean", "attacked")}
    truth = part[f"{task}.truth"]
    counts = {("attacked", "fooling_ratio"): (int((answers["clean"] != answers["attacked"]).sum()), len(part))}
    for condition, answer in answers.items():
        counts[condition, "accuracy"] = (int((answer == truth).sum()), truth.count())
        if target is not None:
            counts[condition, "target_accuracy"] = (int((answer == target).sum()), len(part))
    return counts


def transfer_matrix(table: pl.DataFrame, *, score: str, task: str, condition: str = "attacked") -> pl.DataFrame:
    """Lay out one score as a matrix: a row for each threat (whom the attack was made for), a column for each model.

    Args:
        table: what `scores`, `fooling_scores` or `dense_scores` returned of the facts of every threat on every model.
        score: the name of the score.
        task: the task it is of.
        condition: `attacked` or `clean`.

    Raises:
        ValueError: if the table has no such score, or several of one threat on one model.
    """
    wanted = (pl.col("score") == score) & (pl.col("task") == task) & (pl.col("condition") == condition)
    cells = table.filter(wanted)
    if cells.is_empty():
        raise ValueError(f"the table has no {condition} {score!r} of task {task!r}; its scores are {_names(table)}")
    twice = cells.filter(cells.select("threat", "model").is_duplicated())
    if len(twice):
        first = twice.row(0, named=True)
        raise ValueError(
            f"there are several {score!r} of threat {first['threat']!r} on model {first['model']!r}: of different "
            "attacks, norms or eps; filter the table to one of them"
        )
    return cells.pivot("model", index="threat", values="value")


def _names(table: pl.DataFrame) -> str:
    return ", ".join(sorted(set(table["score"]))) or "none"
