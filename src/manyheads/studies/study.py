"""Studies: grids of experiments that are run, reported together and laid beside a paper's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from manyheads.experiments import Bars, Experiment, Finished, RayCluster, checked, reached, report
from manyheads.reports import (
    Checklist,
    Table,
    Verdict,
    gain_table,
    hidden_table,
    main_table,
    rejection_table,
    to_markdown,
)
from manyheads.studies.members import carry_out
from manyheads.studies.printed_numbers import PrintedTables


@dataclass(frozen=True, eq=False)
class Study:
    """A grid of experiments on one data set.

    Args:
        title: heading of its report.
        folder: where its report and tables go.
        members: the experiments, in the order of the tables.
        printed: the paper's numbers.
    """

    title: str
    folder: Path
    members: Sequence[Experiment]
    printed: PrintedTables

    def conduct(
        self, bars: Bars, *, jobs: int = 1, ray: RayCluster | None = None
    ) -> tuple[Table | Checklist | Verdict, ...]:
        """Run what has not been run yet, write `report.html` and `results.md`, and return what a terminal shows of it.

        Args:
            bars: where progress is shown.
            jobs: how many experiments run at once; on Ray, its cluster says so.
            ray: run them on Ray instead.

        Raises:
            ImportError: if Ray is wanted and cannot be imported.
            ValueError: if an experiment cannot be carried out.
        """
        finished = Finished(carry_out(self.members, bars, jobs=jobs, ray=ray))
        self.folder.mkdir(parents=True, exist_ok=True)
        report(
            finished,
            self.folder / "report.html",
            heading=self.title,
            main=self.printed.main,
            hidden=self.printed.hidden,
        )
        shown = self._tables(finished)
        verdicts, found = reached(finished), checked(finished)
        checks = [found] if found.rows else []
        (self.folder / "results.md").write_text(self._results(finished, (*verdicts, *shown, *checks)), encoding="utf-8")
        return (*shown, *checks, *verdicts)

    def _tables(self, finished: Finished) -> tuple[Table, ...]:
        results = finished.results
        return (
            main_table(results, printed=self.printed.main),
            *(rejection_table(results, challenge) for challenge in results.challenges),
            hidden_table(results, printed=self.printed.hidden),
            *([gain_table(finished.gains, results)] if len(finished.gains) else []),
        )

    def _results(self, finished: Finished, shown: Sequence[Table | Checklist | Verdict]) -> str:
        """Write what is shown as a document that says where they come from."""
        first = finished.runs[0]
        guard, experiment = first.read_guard(), finished.experiments[0]
        origin = f"{finished.date}, commit {guard.commit or 'unknown'}, seed {experiment.seed}."
        parts = [f"# {self.title}", origin, *(to_markdown(one) for one in shown)]
        return "\n\n".join(parts) + "\n"
