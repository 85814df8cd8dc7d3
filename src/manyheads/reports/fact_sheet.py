"""The fact sheet of a model, in the JSON form in which RobustBench keeps one per model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from manyheads.evaluation import Facts, wilson
from manyheads.reports.measures import percent
from manyheads.reports.results import budget_label, eps_label

STANDARD_ENSEMBLE = "standard ensemble"
"""What facts call the standard ensemble at its full strength; `autoattack_acc` comes from nothing else."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What a fact sheet says of a model besides its numbers.

    Args:
        name: title of the paper, or of the model.
        dataset: name of the data set, as RobustBench writes it, for example `cifar10`.
        architecture: of the model.
        link: where the paper stands; empty for none.
        authors: their names; empty where they are not told.
        venue: where and when it was published.
        additional_data: whether more data was used in training than the data set's own.
        number_forward_passes: how many passes through the network one answer takes.
        reported: robust accuracy that the authors report, as a share; None where they report none.
        footnote: what a reader must know.

    Raises:
        ValueError: if the reported accuracy is no share, or there are no forward passes.
    """

    name: str
    dataset: str
    architecture: str
    link: str = ""
    authors: str = ""
    venue: str = "Unpublished"
    additional_data: bool = False
    number_forward_passes: int = 1
    reported: float | None = None
    footnote: str = ""

    def __post_init__(self) -> None:
        """Refuse percent where a share is meant."""
        if self.reported is not None and not 0 <= self.reported <= 1:
            raise ValueError(f"reported is a share in [0, 1], got {self.reported}; divide percent by 100")
        if self.number_forward_passes < 1:
            raise ValueError(f"an answer takes at least one forward pass, got {self.number_forward_passes}")


def fact_sheet(facts: Facts, publication: Publication, *, attack: str = STANDARD_ENSEMBLE) -> dict[str, object]:
    """Make the fact sheet of a model from its facts.

    Accuracies are those of the main task, rejections ignored, in percent with two decimals. `autoattack_acc` is written
    only where the standard ensemble was run; without it the field is left out and the footnote says so. `reported`
    stands only where the authors report a number. `unreliable` is true where another attack within the same budget
    broke examples that survive the standard ensemble and left fewer right. The footnote names every attack that was
    run, and counts the examples: a leaderboard wants the whole test set.

    Args:
        facts: of one model and one budget.
        publication: what the sheet says besides.
        attack: which attack's accuracy is to stand as `autoattack_acc`.

    Raises:
        ValueError: if `attack` is not the standard ensemble, the facts are of several models, main tasks or budgets, or
            their attacks saw different examples, or the main task is not one of classification.

    Reference: Croce et al., NeurIPS 2021 Datasets and Benchmarks (RobustBench), and the files `model_info` there.
    Differs from them in: the attacks are this package's own.
    """
    if attack != STANDARD_ENSEMBLE:
        raise ValueError(
            f"autoattack_acc is the accuracy under the {STANDARD_ENSEMBLE} and under nothing else, got {attack!r}; "
            "run the standard ensemble"
        )
    main, eps, norm = _budget(facts)
    if main not in facts.classified:
        raise ValueError(f"a fact sheet is of a classifier; the facts hold no answers to the main task {main!r}")
    right = _right(facts, main=main)
    clean = right.pop("clean")
    n = len(clean)
    sheet: dict[str, object] = {
        "link": publication.link,
        "name": publication.name,
        "authors": publication.authors,
        "additional_data": publication.additional_data,
        "number_forward_passes": publication.number_forward_passes,
        "dataset": publication.dataset,
        "venue": publication.venue,
        "architecture": publication.architecture,
        "eps": eps_label(eps),
        "clean_acc": _percent(int(clean.sum()) / n),
    }
    if publication.reported is not None:
        sheet["reported"] = _percent(publication.reported)
    ours = {name: int(one.sum()) for name, one in right.items()}
    if STANDARD_ENSEMBLE in ours:
        sheet["autoattack_acc"] = _percent(ours[STANDARD_ENSEMBLE] / n)
    stronger = _stronger(right)
    label = budget_label(norm=norm, eps=eps)
    sheet["footnote"] = " ".join(
        part for part in (publication.footnote, _account(ours, n=n, label=label), _warning(stronger)) if part
    )
    sheet["unreliable"] = bool(stronger)
    return sheet


def to_fact_json(sheet: Mapping[str, object]) -> str:
    """Write a fact sheet as JSON, in the form of RobustBench's files."""
    return json.dumps(sheet, indent=2, ensure_ascii=False) + "\n"


def _budget(facts: Facts) -> tuple[str, float, str]:
    """Return the only main task, eps and norm that the facts speak of."""
    found = {name: facts.table[name].unique().sort().to_list() for name in ("model", "main", "eps", "norm")}
    several = {name: values for name, values in found.items() if len(values) != 1}
    if several:
        listed = "; ".join(f"{name}: {', '.join(map(str, values))}" for name, values in several.items())
        raise ValueError(f"a fact sheet is of one model under one budget, the facts hold {listed}; filter them first")
    return str(found["main"][0]), float(found["eps"][0]), str(found["norm"][0])


def _right(facts: Facts, *, main: str) -> dict[str, pl.Series]:
    """Tell for every attack which examples it leaves right, the worst over threats; and `clean`."""
    known = facts.table.drop_nulls(f"{main}.truth").sort("index")
    judged = known.with_columns(
        (pl.col(f"{main}.truth") == pl.col(f"{main}.{when}")).alias(f"right_{when}") for when in ("clean", "attacked")
    )
    examples = {
        name: part.group_by("index", maintain_order=True).agg(
            pl.col("right_clean").all(), pl.col("right_attacked").all()
        )
        for (name,), part in judged.group_by("attack", maintain_order=True)
    }
    first = next(iter(examples.values()))
    if any(not one["index"].equals(first["index"]) for one in examples.values()):
        raise ValueError("the attacks saw different examples, so that no sheet can compare them; measure them anew")
    return {"clean": first["right_clean"]} | {str(name): one["right_attacked"] for name, one in examples.items()}


def _stronger(right: Mapping[str, pl.Series]) -> dict[str, int]:
    """Count the ensemble's survivors that an attack breaks, for each that leaves fewer right than the ensemble."""
    if STANDARD_ENSEMBLE not in right:
        return {}
    kept = right[STANDARD_ENSEMBLE]
    return {name: int((kept & ~one).sum()) for name, one in right.items() if int(one.sum()) < int(kept.sum())}


def _account(ours: Mapping[str, int], *, n: int, label: str) -> str:
    """Say what was run, on how many examples, and what it left."""
    parts = []
    for name, count in ours.items():
        low, high = wilson(count, trials=n)
        parts.append(f"{name} {_percent(count / n)} ({percent(low)}–{percent(high)})")
    missing = (
        "" if STANDARD_ENSEMBLE in ours else f"The {STANDARD_ENSEMBLE} was not run, so there is no autoattack_acc. "
    )
    return (
        f"{missing}Measured with the attacks of manyheads within {label}, on {n} examples; robust accuracy in percent, "
        f"with 95 % intervals: {', '.join(parts)}."
    )


def _warning(stronger: Mapping[str, int]) -> str:
    if not stronger:
        return ""
    listed = ", ".join(f"{name} breaks {count} of its survivors" for name, count in stronger.items())
    return f"The {STANDARD_ENSEMBLE} was not the strongest attack: {listed}."


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"
