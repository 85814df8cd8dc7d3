"""The conclusion of a run: its page, and the tables that a terminal shows of it."""

from manyheads.experiments.dense_experiment import DenseExperiment
from manyheads.experiments.dense_reporting import dense_results, report_dense
from manyheads.experiments.reporting import Finished, report
from manyheads.experiments.run import Outcome
from manyheads.reports import Table, dense_table, main_table, rejection_table


def conclude(outcome: Outcome) -> tuple[Table, ...]:
    """Write the page of a finished run, and return its tables: of a dense run one per task, with its headline score."""
    files = outcome.files
    heading = f"{outcome.experiment.name}: what attackers can do to it"
    match outcome.experiment:
        case DenseExperiment(tasks=tasks):
            report_dense([files], files.report, heading=heading)
            scores = dense_results([files])
            return tuple(dense_table(scores, main=task) for task in tasks)
    finished = Finished((files,))
    report(finished, files.report, heading=heading)
    results = finished.results
    return (main_table(results), *(rejection_table(results, one) for one in results.challenges))
