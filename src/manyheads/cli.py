"""The command line: `manyheads run`, `recipes`, `study`, `report`, `predict`.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro
from rich.console import Console
from rich.markup import escape
from rich.text import Text

if TYPE_CHECKING:
    from manyheads.experiments import Experiment

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


def study(
    name: Words[Literal["demo", "hyun2024"]],
    /,
    *,
    data: tuple[Literal["mnist", "svhn", "gtsrb", "cifar10", "tiny_imagenet"], ...] = (),
    profile: Literal["quick", "paper"] = "quick",
    data_root: Path | None = None,
    seed: int = 0,
    jobs: int = 1,
    folder: Path = Path("runs"),
) -> None:
    """Run a grid of experiments, print its tables and write one report per data set.

    What was run already is not run again: call it anew to go on after an interruption.

    Args:
        name: `demo` runs on embedded digits, `hyun2024` is the study of Hyun & Park 2024.
        data: data sets of the study; all that lie in the data root if none is named.
        profile: `quick` for small models on two cores, `paper` for the paper's setting on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seed: decides everything random.
        jobs: how many experiments run at once, each in a process and on one thread of its own.
        folder: where runs are kept.
    """
    from manyheads.experiments import bars
    from manyheads.reports import to_rich
    from manyheads.studies import demo, hyun2024

    console = Console()
    if name == "demo":
        if data or data_root or profile != "quick":
            raise ValueError("the demonstration runs on embedded digits; leave --data, --data-root and --profile out")
        studies = [demo.study(seed=seed, folder=folder)]
    else:
        if data_root is None:
            raise ValueError("this study reads real data; say where it lies with --data-root DIR")
        chosen = data or hyun2024.present(data_root)
        absent = [title for one, title in hyun2024.NAMES.items() if one not in chosen]
        if absent and not data:
            _say(console, f"not in {data_root}, and so left out: {', '.join(absent)}")
        studies = [
            hyun2024.study(one, profile=profile, data_root=data_root, seed=seed, folder=folder) for one in chosen
        ]
    for one in studies:
        with bars(console) as shown:
            tables = one.conduct(shown, jobs=jobs)
        for table in tables:
            console.print(to_rich(table, width=min(console.width, 140)), "")
        _say(console, f"report: {one.folder / 'report.html'}, tables: {one.folder / 'results.md'}")


def report(run: Words[Path]) -> None:
    """Write the report of a finished run, or of all runs in a folder, anew.

    Args:
        run: the folder of a run or of a study.
    """
    from manyheads.experiments import by_data, report, runs_in
    from manyheads.studies import hyun2024

    runs = runs_in(run)
    found = by_data(runs)
    if not found:
        raise ValueError(f"no run in {run} is finished yet; run it first")
    for data, finished in found.items():
        path = run / ("report.html" if len(found) == 1 else f"report-{data}.html")
        printed = hyun2024.printed_beside(finished.experiments)
        heading = f"{run.resolve().name}: robustness of {len(finished.runs)} model(s) on {data}"
        report(finished, path, heading=heading, main=printed.main, hidden=printed.hidden)
        _say(Console(), f"report: {path}")
    unfinished = len(runs) - sum(len(finished.runs) for finished in found.values())
    if unfinished:
        _say(Console(), f"not finished yet, and so left out: {unfinished} of {len(runs)} runs")


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
        _say(Console(), f"{said.path}: {said.label or 'rejected'} ({heads}; contradiction {said.score:.3g})")


COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "recipes": recipes,
    "study": study,
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
    except (ValueError, OSError) as error:
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

--hidden NAME MAP [NAME MAP ...] replaces the hidden tasks, --hidden alone leaves all out. A part of the experiment
becomes one of another kind, with the defaults of that kind, by

{parts}"""


def _run(recipe: str, *, overrides: Sequence[str]) -> None:
    from manyheads.experiments import Finished, bars, report
    from manyheads.experiments import run as run_experiment
    from manyheads.recipes import find
    from manyheads.reports import main_table, rejection_table, to_rich

    experiment = _overridden(find(recipe), overrides, recipe=recipe)
    console = Console()
    with bars(console) as shown:
        outcome = run_experiment(experiment, shown)
    finished = Finished((outcome.files,))
    report(finished, outcome.files.report, heading=f"{experiment.name}: what attackers can do to it")
    results = finished.results
    for table in (main_table(results), *(rejection_table(results, one) for one in results.challenges)):
        console.print(to_rich(table, width=min(console.width, 140)), "")
    _say(console, f"report: {outcome.files.report}")


def _overridden(experiment: "Experiment", words: Sequence[str], *, recipe: str) -> "Experiment":
    """Override fields; in the options' names a trial's blanks are hyphens."""
    from manyheads.experiments import Experiment, exchange_all, kinds

    names = {name.replace(" ", "-"): name for name in (*experiment.trials, experiment.sweep_trial)}
    trials = {name.replace(" ", "-"): trial for name, trial in experiment.trials.items()}
    spoken = replace(experiment, trials=trials, sweep_trial=experiment.sweep_trial.replace(" ", "-"))
    spoken, words = exchange_all(spoken, words)
    made = tyro.cli(
        tyro.conf.AvoidSubcommands[Experiment],
        default=spoken,
        args=words,
        prog=f"manyheads run {recipe}",
        description=_OVERRIDING.format(
            recipe=recipe,
            parts="\n".join(f"--{path} {{{','.join(named)}}}" for path, named in kinds(spoken).items()),
        ),
    )
    trials = {names[name]: trial for name, trial in made.trials.items()}
    return replace(made, trials=trials, sweep_trial=names.get(made.sweep_trial, made.sweep_trial))


def _say(console: Console, text: str) -> None:
    """Print a line as it is: unbroken, without markup."""
    console.print(escape(text), soft_wrap=True, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
