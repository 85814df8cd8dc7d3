"""The conclusion of a run: its page, and the tables that a terminal shows of it."""

from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_reporting import dense_checks, dense_results, report_dense
from manyheads.experiments.finished import Finished
from manyheads.experiments.generative_experiment import GenerativeExperiment
from manyheads.experiments.generative_reporting import generative_table, report_generative
from manyheads.experiments.reporting import report
from manyheads.experiments.run import Outcome
from manyheads.experiments.verdict import checked, reached
from manyheads.reports import Checklist, Table, Verdict, dense_table, main_table, rejection_table


def conclude(outcome: Outcome) -> tuple[Table | Checklist | Verdict, ...]:
    """Write the page of a finished run, and return what a terminal shows of it.

    Of a dense run these are tables, one per task, with its headline score, then the sanity checks; of a generative run
    a table of all that was attacked; of a classifier tables, then the sanity checks, then the verdict.
    """
    files = outcome.files
    name = outcome.experiment.name
    heading = f"{name}: what attackers can do to it"
    match outcome.experiment:
        case GenerativeExperiment() as experiment:
            report_generative(files, files.report, heading=f"{name}: what it does to its victims")
            return (generative_table(experiment, outcome.scores),)
        case DenseExperiment(tasks=tasks):
            report_dense([files], files.report, heading=heading)
            scores = dense_results([files])
            tables = (dense_table(scores, main=task) for task in tasks)
            return (*tables, *_listed(dense_checks([files])))
    finished = Finished((files,))
    report(finished, files.report, heading=heading)
    results = finished.results
    rejections = (rejection_table(results, one) for one in results.challenges)
    return (main_table(results), *rejections, *_listed(checked(finished)), *reached(finished))


def _listed(checks: Checklist) -> tuple[Checklist, ...]:
    return (checks,) if checks.rows else ()
