"""Whether the measurement of somebody's own model can be believed: the sanity checks of it."""

from collections.abc import Sequence

import polars as pl

from manyheads.data import Loader, take
from manyheads.evaluation import Facts
from manyheads.experiments.examination import check_and_keep
from manyheads.experiments.files import RunFiles
from manyheads.experiments.foreign import Assessment
from manyheads.experiments.progress import Bars
from manyheads.reports import Checklist, checklist
from manyheads.tasks import Task
from manyheads.threats import TaskLoss, ThreatModel
from manyheads.threats.knowledge import WHITE


def examine_foreign(
    assessment: Assessment, files: RunFiles, bars: Bars, *, tasks: Sequence[Task], facts: Facts, examples: int
) -> Checklist:
    """Check a measured model on a few of its images, unless that was done already, and list what came out.

    The checks attack the main head, knowing the whole model, within the budget of the measurement.

    Args:
        assessment: what was measured.
        files: where the checks are kept.
        bars: where progress is shown.
        tasks: the model's tasks, main task first.
        facts: what came out.
        examples: how many images are attacked, at most; 0 for no checks.
    """
    if examples and not files.sanity.exists():
        budget = assessment.trials[0].threat.budget
        main = TaskLoss(tasks, {tasks[0].name: 1.0})
        attacker = ThreatModel(name=WHITE, model=assessment.model, tasks=tasks, objective=main, budget=budget)
        chosen = take(assessment.chosen, count=min(examples, len(assessment.chosen)), seed=0)
        batches = list(Loader(chosen, batch_size=assessment.batch_size, workers=assessment.workers))
        with bars.bar(f"sanity checks of {assessment.name}"):
            check_and_keep(
                files, assessment.model, attacker=attacker, batches=batches, facts=facts, seed=assessment.seed
            )
    found = {assessment.name: pl.read_parquet(files.sanity)} if files.sanity.exists() else {}
    return checklist(found)
