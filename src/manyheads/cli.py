"""The command line: `manyheads run`, `recipes`, `study`, `attack`, `fact-sheet`, `report`, `predict`.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro
from rich.console import Console
from rich.text import Text

from manyheads.cli_attack import attack, fact_sheet
from manyheads.cli_study import say, study

if TYPE_CHECKING:
    from manyheads.experiments.override import Kind

Words = tyro.conf.Positional
"""What stands on the command line without a name before it."""


def run(recipe: Words[str]) -> None:
    """Train a model, attack it, and write a report.

    Every field of the experiment can be overridden: `manyheads run digits --help` lists them. What was run already is
    not run again: call it anew to go on after an interruption.

    Args:
        recipe: name of a recipe (`manyheads recipes` lists them), or `FILE.py:FUNCTION` for one of your own.
    """
    _run(recipe, overrides=())


def recipes() -> None:
    """List the recipes."""
    from rich.table import Table

    from manyheads.recipes import RECIPES

    table = Table("recipe", "what it is", box=None, padding=(0, 2, 0, 0))
    for name, recipe in RECIPES.items():
        table.add_row(f"[bold]{name}[/]", (recipe.__doc__ or "").strip().splitlines()[0])
    Console().print(table)


def report(run: Words[Path]) -> None:
    """Write the report of a finished run, or of all runs in a folder, anew; of generators one page each.

    Args:
        run: the folder of a run or of a study.
    """
    from manyheads.experiments import (
        by_data,
        by_scenes,
        dense_runs_in,
        generative_runs_in,
        report,
        report_dense,
        report_generative,
        runs_in,
    )
    from manyheads.studies import hyun2024

    runs, dense_runs = runs_in(run), dense_runs_in(run)
    found, dense = by_data(runs), by_scenes(dense_runs)
    generators = generative_runs_in(run)
    done = [files for files in generators if files.scores.exists()]
    if not found and not dense and not done:
        raise ValueError(f"no run in {run} is finished yet; run it first")
    several = len(found) + len(dense) > 1
    for data, finished in found.items():
        path = run / (f"report-{data}.html" if several else "report.html")
        printed = hyun2024.printed_beside(finished.experiments)
        heading = _heading(run, count=len(finished.runs), data=data)
        report(finished, path, heading=heading, main=printed.main, hidden=printed.hidden)
        say(Console(), f"report: {path}")
    for scenes, files in dense.items():
        path = run / (f"report-{scenes}.html" if several else "report.html")
        report_dense(files, path, heading=_heading(run, count=len(files), data=scenes))
        say(Console(), f"report: {path}")
    for files in done:
        report_generative(files, files.report, heading=f"{files.folder.resolve().name}: what it does to its victims")
        say(Console(), f"report: {files.report}")
    finished = len(done) + sum(len(one.runs) for one in found.values()) + sum(len(files) for files in dense.values())
    everything = len(generators) + len(runs) + len(dense_runs)
    if finished < everything:
        say(Console(), f"not finished yet, and so left out: {everything - finished} of {everything} runs")


def _heading(run: Path, *, count: int, data: str) -> str:
    return f"{run.resolve().name}: robustness of {count} model{'s' * (count > 1)} on {data}"


def predict(run: Words[Path], images: Words[tuple[Path, ...]]) -> None:
    """Print what the guard of a finished run says of images: the label, or `rejected`.

    Args:
        run: the run's folder.
        images: image files.
    """
    from manyheads.experiments import predict

    if not images:
        raise ValueError("name at least one image file")
    for said in predict(run, images):
        heads = ", ".join(f"{task} {answer}" for task, answer in said.heads.items())
        say(Console(), f"{said.path}: {said.label or 'rejected'} ({heads}; contradiction {said.score:.3g})")


COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "recipes": recipes,
    "study": study,
    "attack": attack,
    "fact-sheet": fact_sheet,
    "report": report,
    "predict": predict,
}
"""All commands, by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what stands behind the command's name; None for the words this process was started with.

    Returns:
        The exit status: 0, 2 after a mistake of the user's, 130 where the user stopped it.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if len(given) > 1 and given[0] == "run" and not given[1].startswith("-"):
            _run(given[1], overrides=given[2:])
        else:
            tyro.extras.subcommand_cli_from_dict(COMMANDS, args=given, prog="manyheads", description=_DESCRIPTION)
    except (ValueError, OSError, ImportError) as error:
        Console(stderr=True).print(Text("error: ", style="bold red") + Text(str(error)), soft_wrap=True)
        return 2
    except SystemExit as done:  # tyro has printed help, or what is wrong
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        Console(stderr=True).print("stopped; call the same command again to go on")
        return 130
    return 0


_DESCRIPTION = "Multi-task adversarial robustness: harden with hidden tasks, attack many heads, reject, report."
_OVERRIDING = """Run the recipe {recipe}; every field can be overridden.

--hidden NAME MAP [NAME MAP ...] replaces the hidden tasks, --hidden alone leaves all out; --weights TASK WEIGHT ...
does so with the weights of dense tasks. A part of the experiment becomes one of another kind, with the defaults of that
kind, by

{parts}"""


def _run(recipe: str, *, overrides: Sequence[str]) -> None:
    from manyheads.experiments import DenseExperiment, GenerativeExperiment, bars, conclude
    from manyheads.experiments import run as run_experiment
    from manyheads.recipes import find
    from manyheads.reports import to_rich

    match find(recipe):
        case GenerativeExperiment() as found:
            experiment = _overridden(found, overrides, recipe=recipe)
        case DenseExperiment() as found:
            experiment = _overridden(found, overrides, recipe=recipe)
        case found:
            experiment = _overridden(found, overrides, recipe=recipe)
    console = Console()
    with bars(console) as shown:
        outcome = run_experiment(experiment, shown)
    tables = conclude(outcome)
    for table in tables:
        console.print(to_rich(table, width=min(console.width, 140)), "")
    say(console, f"report: {outcome.files.report}")


def _overridden(experiment: "Kind", words: Sequence[str], *, recipe: str) -> "Kind":
    """Override fields; in the options' names a trial's blanks are hyphens."""
    from manyheads.experiments import blanked, exchange_all, hyphened, kinds

    spoken, words = exchange_all(hyphened(experiment), words)
    made = tyro.cli(
        tyro.conf.AvoidSubcommands[type(spoken)],
        default=spoken,
        args=words,
        prog=f"manyheads run {recipe}",
        description=_OVERRIDING.format(
            recipe=recipe,
            parts="\n".join(f"--{path} {{{','.join(named)}}}" for path, named in kinds(spoken).items()),
        ),
    )
    return blanked(made, experiment)


if __name__ == "__main__":
    sys.exit(main())
