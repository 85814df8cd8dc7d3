"""The printed numbers of Guo et al. 2020, in this package's names and units."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

import polars as pl

from manyheads.experiments import Method, PerturbationKind

Goal = Literal["untargeted", "targeted"]
"""What an attacker of classifiers wants: another answer, or a certain one."""

CLEAN_ACCURACY: Mapping[str, float] = {"amazon": 0.7872, "dslr": 0.983, "webcam": 0.9149}
"""Accuracy of the paper's classifiers, as its text says."""

AVERAGE = "average"
"""What stands for the mean over the domains."""

CLEAN = "clean"
"""What stands for images that nobody attacked."""

_LETTERS = {"amazon": "A", "dslr": "D", "webcam": "W", AVERAGE: AVERAGE}
_GOALS = {"untargeted": "nontargeted", "targeted": "targeted"}
_VICTIMS = {"dmtl": "DMTL", "mtan": "MTAN (transfer from DMTL)"}
_METRICS = {
    ("segmentation", "miou_per_image"): ("segmentation_miou_percent", 0.01),
    ("segmentation", "pixel_accuracy"): ("segmentation_pixel_accuracy_percent", 0.01),
    ("depth", "absolute_error"): ("depth_abs_error", 1.0),
    ("depth", "relative_error"): ("depth_rel_error", 1.0),
    ("normals", "mean_angle"): ("normal_angle_mean_deg", 1.0),
    ("normals", "median_angle"): ("normal_angle_median_deg", 1.0),
    ("normals", "within_11_25"): ("normal_within_11.25_percent", 0.01),
    ("normals", "within_22_5"): ("normal_within_22.5_percent", 0.01),
    ("normals", "within_30"): ("normal_within_30_percent", 0.01),
}

COLUMNS = tuple(_METRICS)
"""Tasks and scores of Tables 5 and 6, in order."""


def printed_share(
    kind: PerturbationKind, *, goal: Goal, level: int, method: Method, domain: str, score: str
) -> float | None:
    """Find a number of Tables 1 to 4, as a share; None where the paper has none.

    Args:
        kind: universal or per instance.
        goal: what the attacker wants.
        level: size of the budget, in 255ths.
        method: whose generator.
        domain: a domain, or `AVERAGE`.
        score: `fooling_ratio`, `accuracy` or `target_accuracy`.
    """
    found = _read("office31").filter(
        setting=f"{kind}_{_GOALS[goal]}",
        epsilon_of_255=level,
        method=method.upper(),
        task=_LETTERS.get(domain, domain),
        metric=score,
    )
    return found["percent"].item() / 100 if len(found) else None


def printed_dense(attack: str, *, method: Method | None, victim: str, task: str, score: str) -> float | None:
    """Find a number of Tables 5 and 6, in this package's unit; None where the paper has none.

    Args:
        attack: `CLEAN`, or the kind of perturbation.
        method: whose generator; None on clean images.
        victim: `dmtl` or `mtan`.
        task: name of the task.
        score: name of the score.
    """
    name, unit = _METRICS[task, score]
    rows = _read("nyuv2").filter(victim=_VICTIMS.get(victim, victim), attack=attack, metric=name)
    found = rows.filter(pl.col("method").is_null() if method is None else pl.col("method") == method.upper())
    return found["value"].item() * unit if len(found) else None


def printed_cost(kind: PerturbationKind, *, method: Method) -> tuple[float, float]:
    """Find a row of Table 7: millions of parameters, and milliseconds."""
    row = _read("cost").filter(attack=kind, method=method.upper()).row(0, named=True)
    return float(row["parameters_millions"]), float(row["inference_ms"])


def _read(name: str) -> pl.DataFrame:
    content = files("manyheads.studies").joinpath("printed", f"guo2020_{name}.csv").read_bytes()
    return pl.read_csv(content)
