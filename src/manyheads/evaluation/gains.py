"""Gains: what a model keeps more than another under the same attack, on the same examples and seeds."""

from collections.abc import Mapping, Sequence

import polars as pl
import torch

from manyheads.evaluation.facts import Facts
from manyheads.evaluation.paired import duel, paired_interval
from manyheads.threats.knowledge import GRAY

WORST = "worst of all"
"""Stands for the threat that is worst for each example by itself."""

CLEAN = "clean"
"""Stands for no threat at all."""

_CHALLENGE = ("attack", "eps", "norm")
_SCHEMA = {
    **dict.fromkeys(("model", "baseline", "attack"), pl.String),
    "eps": pl.Float64,
    **dict.fromkeys(("norm", "threat"), pl.String),
    **dict.fromkeys(("gain", "low", "high", "p_value", "kept", "kept_baseline"), pl.Float64),
    **dict.fromkeys(("n", "seeds"), pl.Int64),
}


def gains(runs: Sequence[Facts], *, baselines: Mapping[str, str], draws: int = 2000) -> pl.DataFrame:
    """Compare models with their baselines, example by example, under each attack and threat.

    What is compared is the score `accuracy_with_rejection`: attacked images that are right or rejected, clean images
    that are right and accepted. The table has one row for each model, attack, eps, norm and threat: `gain` with its
    95 % bootstrap interval (`low`, `high`) over examples and seeds, `p_value` by McNemar's exact test over all pairs,
    `kept` and `kept_baseline` (both shares), `n` examples and `seeds`. Beside the threats that were measured stand
    `CLEAN`, and `WORST`: each example's worst threat, for the model and for the baseline. A baseline that lacks a
    threat, since all its heads are the main head, is taken under gray-box.

    With several seeds the p-value treats an example's answers under different seeds as independent; the interval does
    not.

    Args:
        runs: facts of all models, one entry per training seed.
        baselines: each model's baseline, by name.
        draws: how many times the bootstrap draws.

    Raises:
        ValueError: if there is something to compare and no run, or a model and its baseline
            share no example in every run.
    """
    if baselines and not runs:
        raise ValueError("a gain is measured on the facts of at least one run, got none")
    tables = [_kept(facts) for facts in runs]
    rows = []
    for model, baseline in baselines.items():
        mine = pl.concat([table.filter(model=model) for table in tables])
        for challenge in mine.select(_CHALLENGE).unique(maintain_order=True).iter_rows(named=True):
            measured = mine.filter(**challenge)["threat"].unique(maintain_order=True).to_list()
            for threat in measured:
                found = [_difference(table.filter(**challenge), (model, baseline), threat=threat) for table in tables]
                named = {"model": model, "baseline": baseline, **challenge, "threat": threat}
                rows.append(named | _gain(found, draws=draws, named=named))
    return pl.DataFrame(rows, schema=_SCHEMA)


def _kept(facts: Facts) -> pl.DataFrame:
    """Tell of every example, under every threat and under none, whether the guard kept it."""
    parts = []
    for (main,), part in facts.table.group_by("main", maintain_order=True):
        table = part.drop_nulls(f"{main}.truth")
        right = {when: pl.col(f"{main}.{when}") == pl.col(f"{main}.truth") for when in ("clean", "attacked")}
        names = pl.col("model", *_CHALLENGE, "threat", "index")
        attacked = table.select(names, (right["attacked"] | pl.col("rejected_attacked")).alias("kept"))
        clean = table.select(names, (right["clean"] & ~pl.col("rejected_clean")).alias("kept"))
        keys = ["model", *_CHALLENGE, "index"]
        worst = attacked.group_by(keys, maintain_order=True).agg(pl.col("kept").all())
        unattacked = clean.group_by(keys, maintain_order=True).agg(pl.col("kept").first())
        parts += [
            _under(unattacked, CLEAN),
            attacked,
            _under(worst, WORST),
        ]
    return pl.concat(parts)


def _under(table: pl.DataFrame, threat: str) -> pl.DataFrame:
    return table.select("model", *_CHALLENGE, pl.lit(threat).alias("threat"), "index", "kept")


def _difference(table: pl.DataFrame, pair: tuple[str, str], *, threat: str) -> pl.DataFrame:
    """Put a model's and its baseline's answers on the same examples side by side."""
    first, second = (table.filter(model=name) for name in pair)
    same = second.filter(threat=threat)
    other = same if len(same) else second.filter(threat=GRAY)
    columns = ["index", "kept"]
    return first.filter(threat=threat).select(columns).join(other.select(columns), on="index", suffix="_baseline")


def _gain(found: Sequence[pl.DataFrame], *, draws: int, named: Mapping[str, object]) -> dict[str, float | int]:
    """Compute one row; an example counts where every seed has it."""
    joint = found[0].select("index")
    for table in found[1:]:
        joint = joint.join(table.select("index"), on="index")
    if not len(joint):
        raise ValueError(
            f"{named['model']!r} and {named['baseline']!r} share no example under {named['attack']!r} "
            f"({named['threat']}) in every run; attack the same examples of both, by the same threats"
        )
    ordered = [joint.join(table, on="index", maintain_order="left") for table in found]
    mine, theirs = (
        torch.tensor([table[name].to_list() for table in ordered]).double() for name in ("kept", "kept_baseline")
    )
    difference = mine - theirs
    low, high = paired_interval(difference, draws=draws)
    return {
        "gain": float(difference.mean()),
        "low": low,
        "high": high,
        "p_value": duel(difference.flatten()).p_value,
        "kept": float(mine.mean()),
        "kept_baseline": float(theirs.mean()),
        "n": len(joint),
        "seeds": len(found),
    }
