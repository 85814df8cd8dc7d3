"""The commands `manyheads attack` and `fact-sheet`: a model of one's own, measured.

Nothing heavy is imported before they run, so that `--help` answers at once.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console

from manyheads.cli_study import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manyheads.data import Source
    from manyheads.experiments import Assessment, ForeignModel, Probe
    from manyheads.tasks import Task

_Attack = Literal["noise", "fgsm", "pgd", "mim", "apgd", "fab", "square", "standard"]
_PROBED = 32


@dataclass(frozen=True)
class AttackOptions:
    """How a model of one's own is measured.

    Args:
        data: the images: a folder with one folder per class (or with such a folder `test`), or the name of a data set,
            whose test split is taken.
        data_root: the folder that holds the data set in its official layout.
        size: side length in pixels to which images are resized, where their size is open; 32 if left out.
        main: name of the task whose classes are those of the data.
        hidden: further tasks that the model answers, each by its name and a label map, in the order of its outputs.
        entries: which output answers which task, by name or by position from 0; the order of the tasks if left out.
        mean: per channel, what the model subtracts from pixels in [0, 1]; none for raw pixels.
        std: per channel, what it divides by afterwards.
        attacks: what it is put through; `standard` is the standard ensemble at its full strength.
        norm: the norm in which a change is measured.
        eps: the largest change, in [0, 1] pixel units, as a number or a fraction.
        steps: steps of pgd, mim, apgd and fab.
        restarts: how often pgd and apgd start.
        queries: how often square asks.
        search: `fast` searches on a faster copy of the model; what it finds counts as far as the model confirms it.
        examples: how many images are attacked, at most, drawn class by class; None for all.
        sanity_examples: how many of them the sanity checks attack, at most; 0 for no checks.
        seed: decides everything random.
        batch_size: examples per batch; decides no result.
        workers: processes that decode image files ahead; decides no result.
        name: folder of the results inside `folder`; the names of file and model if left out.
        folder: where results are kept.
    """

    data: str
    data_root: Path | None = None
    size: int | None = None
    main: str = "label"
    hidden: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    attacks: tuple[_Attack, ...] = ("pgd",)
    norm: Literal["linf", "l2", "l1"] = "linf"
    eps: str = "8/255"
    steps: int = 40
    restarts: int = 1
    queries: int = 5000
    search: Literal["plain", "fast"] = "plain"
    examples: int | None = 1000
    sanity_examples: int = 32
    seed: int = 0
    batch_size: int = 100
    workers: int = 0
    name: str | None = None
    folder: Path = Path("runs")


def attack(model: tyro.conf.Positional[str], /, options: Annotated[AttackOptions, tyro.conf.arg(name="")]) -> None:
    """Attack a model of your own: print what it keeps, and write facts and a report.

    The model is an `nn.Module`, or a function without arguments that returns one, in a Python file, which is run. It
    takes images in [0, 1] (--mean and --std where it was trained on normalised ones) and returns scores (logits), as a
    tensor, tuple, list, dict or an object with a field `logits`. It stays on the device where your file puts it.

    Args:
        model: `FILE.py:NAME`.
        options: see below.
    """
    from manyheads.experiments import (
        RunFiles,
        assess,
        bars,
        examine_foreign,
        foreign_data,
        foreign_tasks,
        load_foreign,
        report_foreign,
    )
    from manyheads.reports import to_rich

    source = foreign_data(options.data, root=options.data_root, size=options.size)
    tasks = foreign_tasks(options.main, hidden=options.hidden, class_names=source.class_names)
    own = load_foreign(model, seed=options.seed)
    assessment = _assessment(own, options, source=source, tasks=tasks)
    found = _probe(assessment, own, options, tasks=tasks)
    files = RunFiles(options.folder / (options.name or f"{own.path.stem}-{own.name}"))
    record = _record(own, assessment, options)
    console = Console()
    with bars(console) as shown:
        facts = assess(assessment, files, shown, record=record)
        examples = options.sanity_examples if _climbs(options) else 0
        checks = examine_foreign(assessment, files, shown, tasks=tasks, facts=facts, examples=examples)
    table, cautions = report_foreign(assessment, facts, files, tasks=tasks, found=found, checks=checks, record=record)
    for part in (table, *([checks] if checks.rows else [])):
        console.print(to_rich(part, width=min(console.width, 140)), "")
    for caution in cautions:
        lines = "; ".join(line for item in caution.items.values() for line in item)
        say(console, f"⚠ {caution.title} ({lines}). {caution.text}")
    say(console, f"report: {files.report}, facts: {files.facts}, scores: {files.scores}")


def _assessment(
    own: "ForeignModel", options: AttackOptions, *, source: "Source", tasks: "Sequence[Task]"
) -> "Assessment":
    from manyheads.experiments import Assessment, Effort, Guarded, budget_of, foreign_trials
    from manyheads.models import adapt

    budget = budget_of(options.norm, eps=options.eps)
    effort = Effort(steps=options.steps, restarts=options.restarts, queries=options.queries, search=options.search)
    entries = {task: int(entry) if entry.isdecimal() else entry for task, entry in options.entries.items()}
    model = adapt(
        Guarded(own), tasks=tasks, entries=entries or None, mean=options.mean or None, std=options.std or None
    )
    return Assessment(
        name=f"{own.path.name}:{own.name}",
        model=model,
        trials=foreign_trials(options.attacks, model=model, tasks=tasks, budget=budget, effort=effort),
        source=source,
        examples=options.examples,
        seed=options.seed,
        batch_size=options.batch_size,
        workers=options.workers,
    )


def _probe(
    assessment: "Assessment", own: "ForeignModel", options: AttackOptions, *, tasks: "Sequence[Task]"
) -> "Probe":
    from manyheads.data import Loader
    from manyheads.experiments import Blame, probe

    batch = next(iter(Loader(assessment.chosen, batch_size=min(_PROBED, options.batch_size), seed=options.seed)))
    return probe(
        assessment.model,
        batch,
        tasks=tasks,
        source=assessment.source,
        name=options.data,
        gradient=Blame(own.path, f"the gradient of {own.name} was taken") if _climbs(options) else None,
    )


def _climbs(options: AttackOptions) -> bool:
    """Tell whether any of the attacks needs a gradient."""
    from manyheads.experiments import NEED_NO_GRADIENT

    return not NEED_NO_GRADIENT.issuperset(options.attacks)


def _record(own: "ForeignModel", assessment: "Assessment", options: AttackOptions) -> dict[str, object]:
    """Collect what decides the results."""
    places = {"data_root", "batch_size", "workers", "name", "folder", "search"}  # the trials tell how they search
    said = {name: value for name, value in asdict(options).items() if name not in places}
    return {
        "model": assessment.name,
        **own.digests,
        **said,
        "classes": assessment.source.class_names,
        "images": len(assessment.source),
        "image_shape": assessment.source.image_shape,
        "trials": [f"{one.threat.name}: {one.name}: {one.attack}" for one in assessment.trials],
    }


@dataclass(frozen=True)
class SheetOptions:
    """What a fact sheet says of a model besides its numbers.

    Args:
        name: title of the paper, or of the model.
        dataset: name of the data set, as RobustBench writes it, for example `cifar10`.
        architecture: of the model.
        link: where the paper stands.
        authors: their names.
        venue: where and when it was published.
        additional_data: whether more data was used in training than the data set's own.
        number_forward_passes: how many passes through the network one answer takes.
        reported: robust accuracy that the authors report, as a share in [0, 1].
        footnote: what a reader must know.
        path: the file to write; `fact_sheet.json` beside the facts if left out.
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
    path: Path | None = None


def fact_sheet(
    measurement: tyro.conf.Positional[Path], /, options: Annotated[SheetOptions, tyro.conf.arg(name="")]
) -> None:
    """Write what `manyheads attack` measured as a fact sheet in RobustBench's JSON form.

    `autoattack_acc` is written only where the standard ensemble was among the attacks.

    Args:
        measurement: folder of the measurement.
        options: see below.
    """
    from manyheads.experiments import RunFiles, facts_in, keep, read_record
    from manyheads.reports import Publication, to_fact_json
    from manyheads.reports import fact_sheet as make_sheet

    files = RunFiles(measurement)
    read_record(files)
    said = {name: value for name, value in vars(options).items() if name != "path"}
    sheet = make_sheet(facts_in(files), Publication(**said))
    path = options.path or measurement / "fact_sheet.json"
    keep(path, to_fact_json(sheet).encode())
    console = Console()
    if "autoattack_acc" not in sheet:
        say(console, "no autoattack_acc: the standard ensemble was not run; add --attacks standard to the measurement")
    say(console, f"fact sheet: {path}")
