"""What the measurement of somebody's own model says: a table, findings, cautions, and the page."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import polars as pl

from manyheads import __version__
from manyheads.evaluation import Facts, scores, wilson
from manyheads.experiments.files import RunFiles
from manyheads.experiments.foreign import Assessment, worst_case
from manyheads.experiments.foreign_probe import Probe
from manyheads.experiments.guard_record import code_version
from manyheads.reports import (
    CLEAN,
    STANDARD_ENSEMBLE,
    WHITE,
    Caution,
    Cell,
    Challenge,
    Checklist,
    Column,
    Exhibit,
    Finding,
    Provenance,
    ReportContents,
    Row,
    Section,
    Table,
    failed_checks,
    gallery_section,
    load_exhibit,
    sanity_section,
    write_report,
)
from manyheads.tasks import Task

WORST = "worst of all"
"""What the row is called in which an example is right only where no attack made it wrong."""


def foreign_table(facts: Facts, *, tasks: Sequence[Task], challenge: str) -> Table:
    """Tabulate the accuracy of every task, on clean images, under every attack, and under the worst of all.

    Args:
        facts: of one model and budget.
        tasks: its tasks, main task first.
        challenge: the budget, in words.
    """
    names = [task.name for task in tasks]
    table = scores(facts).filter(score="accuracy")
    attacked = table.filter(condition="attacked")
    keys = attacked.select("attack", "threat").unique(maintain_order=True).rows()
    worst = {name: worst_case(facts, task=name) for name in names}
    rows = [Row(labels=(CLEAN, ""), cells=tuple(_share(worst[name]["clean"].to_list()) for name in names))]
    for attack, threat in keys:
        found = {row["task"]: row for row in attacked.filter(attack=attack, threat=threat).iter_rows(named=True)}
        cells = tuple(Cell(**{key: found[name][key] for key in ("value", "low", "high", "n")}) for name in names)
        rows.append(Row(labels=(attack, threat), cells=cells))
    if len(keys) > 1:
        rows.append(Row(labels=(WORST, ""), cells=tuple(_share(worst[name]["attacked"].to_list()) for name in names)))
    note = f"Accuracy of each task under attacks within {challenge}."
    if len(keys) > 1:
        note += f" {WORST.capitalize()}: right only where it was right before and no attack made it wrong."
    columns = tuple(Column("", "accuracy", name) for name in names)
    return Table(title="Accuracy under attack", stub=("attack", "threat"), columns=columns, rows=tuple(rows), note=note)


def foreign_findings(facts: Facts, *, model: str, main: Task, challenge: str) -> tuple[Finding, ...]:
    """Say what the main task keeps on clean images, and under the worst of all attacks."""
    examples = worst_case(facts, task=main.name)
    clean, attacked = _share(examples["clean"].to_list()), _share(examples["attacked"].to_list())
    names = facts.table["attack"].unique(maintain_order=True).to_list()
    text = (
        f"Of {clean.n} images it classifies {clean.text} % rightly ({clean.interval}). Within {challenge} the worst of "
        f"{', '.join(names)} leaves {attacked.text} % right ({attacked.interval})."
    )
    if STANDARD_ENSEMBLE not in names:
        text += " That is an upper bound: the standard ensemble was not run."
    return (Finding(title=model, text=text, bars=((CLEAN, clean), (WHITE, attacked))),)


def foreign_cautions(facts: Facts, found: Probe, *, model: str, main: Task) -> tuple[Caution, ...]:
    """List what a reader must not overlook: about the model's use here, and about the attacks."""
    listed = []
    right = worst_case(facts, task=main.name)["clean"].to_list()
    names = facts.table["attack"].unique(maintain_order=True).to_list()
    low, high = wilson(sum(right), trials=len(right))
    if low <= 1 / main.channels:
        told = f"{100 * sum(right) / len(right):.1f} % of {len(right)} clean images right, {100 * high:.1f} % at most"
        shown = ", ".join(main.class_names[:3]) + (" ..." if len(main.class_names) > 3 else "")
        listed.append((_CHANCE.title, _CHANCE.text, f"{told}; the classes are {shown}"))
    if found.probabilities:
        listed.append((_PROBABILITIES.title, _PROBABILITIES.text, f"seen on {found.n} images"))
    if found.silent:
        listed.append((_SILENT.title, _SILENT.text, f"{found.silent} of {found.n} images"))
    if not found.answers:
        listed.append((_RANDOM.title, _RANDOM.text, f"seen on {found.n} images"))
    if STANDARD_ENSEMBLE not in names:
        listed.append((_WEAK.title, _WEAK.text, f"run: {', '.join(names)}"))
    return tuple(Caution(title=title, text=text, items={model: (item,)}) for title, text, item in listed)


_CHANCE = Caution(
    title="No better than chance on clean images",
    text="Either the model cannot do this task, or it is not used as it was trained: compare the order of its classes "
    "with that of the data (folders go by the alphabet), and give --mean and --std where it wants normalised pixels.",
    items={},
)
_PROBABILITIES = Caution(
    title="The answers look like probabilities",
    text="Attacks climb on scores (logits). Probabilities saturate, which hides gradients and makes a weak model look "
    "robust: take the softmax off and measure again.",
    items={},
)
_SILENT = Caution(
    title="Images without a gradient",
    text="Where the loss has no gradient, attacks that climb cannot begin, and what they leave says nothing. Rounding, "
    "thresholds and saturated outputs do that. Add square, which needs no gradient, or the standard ensemble.",
    items={},
)
_RANDOM = Caution(
    title="The same image, another answer",
    text="The model answers at random. One pass tells an attacker little: attack the expectation over its randomness, "
    "or the numbers are too high.",
    items={},
)
_WEAK = Caution(
    title="The standard ensemble was not run",
    text="One attack shows how weak a model is, not how strong: robust accuracy is at most what stands here. Add "
    "--attacks standard.",
    items={},
)


def report_foreign(
    assessment: Assessment,
    facts: Facts,
    files: RunFiles,
    *,
    tasks: Sequence[Task],
    found: Probe,
    checks: Checklist,
    record: Mapping[str, object],
) -> tuple[Table, tuple[Caution, ...]]:
    """Write the page of a measurement, and return its table and cautions.

    Args:
        assessment: what was measured.
        facts: what came out.
        files: where the page goes, and where the galleries lie.
        tasks: the model's tasks, main task first.
        found: what the first look told.
        checks: how the sanity checks came out.
        record: what decided the results.
    """
    challenges = [_challenge(trial.name, assessment, place) for place, trial in enumerate(assessment.trials)]
    budget = challenges[0].label.removeprefix(f"{challenges[0].attack} (").removesuffix(")")
    table = foreign_table(facts, tasks=tasks, challenge=budget)
    cautions = (
        *failed_checks(checks),
        *foreign_cautions(facts, found, model=assessment.name, main=tasks[0]),
    )
    surfaces = {assessment.name: pl.read_parquet(files.surface)} if files.surface.exists() else {}
    sections = (
        Section(title="Accuracy under attack", tables=(table,)),
        sanity_section(checks, surfaces),
        gallery_section(_exhibits(assessment, files, tasks=tasks, challenges=challenges)),
    )
    contents = ReportContents(
        title=f"{assessment.name}: what attackers can do to it",
        findings=foreign_findings(facts, model=assessment.name, main=tasks[0], challenge=budget),
        cautions=cautions,
        sections=tuple(section for section in sections if section is not None),
        provenance=Provenance(
            experiments={assessment.name: record},
            versions={"manyheads": __version__, **{name: version(name) for name in ("torch", "numpy")}},
            seeds=(assessment.seed,),
            date=datetime.fromtimestamp(files.scores.stat().st_mtime, tz=UTC).date().isoformat(),
            commit=code_version(),
        ),
    )
    write_report(files.report, contents)
    return table, cautions


def _challenge(name: str, assessment: Assessment, place: int) -> Challenge:
    budget = assessment.trials[place].threat.budget
    return Challenge(attack=name, norm=type(budget).__name__, eps=float(budget.eps))


def _exhibits(
    assessment: Assessment, files: RunFiles, *, tasks: Sequence[Task], challenges: Sequence[Challenge]
) -> list[Exhibit]:
    if assessment.source.image_shape[0] not in (1, 3):
        return []
    shown = []
    for trial, challenge in zip(assessment.trials, challenges, strict=True):
        path: Path = files.gallery_of(trial.threat.name, trial=trial.name, eps=challenge.eps)
        shown.append(
            load_exhibit(
                path,
                model=assessment.name,
                threat=trial.threat.name,
                challenge=challenge,
                main=tasks[0].name,
                class_names={task.name: task.class_names for task in tasks},
            )
        )
    return shown


def _share(right: Sequence[bool]) -> Cell:
    low, high = wilson(sum(right), trials=len(right))
    return Cell(value=sum(right) / len(right), low=low, high=high, n=len(right))
