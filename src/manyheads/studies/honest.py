"""The honest study of hidden tasks: what is left of their gain once an attacker knows them, over several seeds.

On each data set, models with all hidden tasks and with none, plainly and adversarially trained, face everybody from
random noise to an attacker who knows the heads and the guard's rule. What counts is the paired difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from manyheads.experiments import Bars, Experiment, Finished, RayCluster, RunFiles
from manyheads.reports import Table, Verdict
from manyheads.studies.honest_settings import NAMES, DataSet, Profile, members
from manyheads.studies.honest_shown import Shown
from manyheads.studies.members import all_finished, carry_out, refuse_unclear_seeds
from manyheads.studies.page import write_page


@dataclass(frozen=True, eq=False, kw_only=True)
class HonestStudy:
    """Some data sets of the study, from some seeds.

    Args:
        title: heading of its report.
        folder: where its report, tables and figures go.
        every: all experiments, by data set, seed after seed.
        chosen: the data sets that are run.
        seeds: each model is trained from each of them.
    """

    title: str
    folder: Path
    every: Mapping[DataSet, Sequence[tuple[Experiment, ...]]]
    chosen: Sequence[DataSet]
    seeds: Sequence[int]

    def conduct(self, bars: Bars, *, jobs: int = 1, ray: RayCluster | None = None) -> tuple[Table | Verdict, ...]:
        """Run what has not been run yet, write `report.html`, `results.md` and figures, and return what is said.

        Other data sets whose runs are all finished, from the same seeds, are shown too.

        Args:
            bars: where progress is shown.
            jobs: how many experiments run at once; on Ray, its cluster says so.
            ray: run them on Ray instead.

        Raises:
            ImportError: if Ray is wanted and cannot be imported.
            ValueError: if an experiment cannot be carried out.
        """
        wanted = [one for data in self.chosen for seed in self.every[data] for one in seed]
        carry_out(wanted, bars, jobs=jobs, ray=ray)
        shown = {data: self._shown(data) for data in self.every if data in self.chosen or self._is_finished(data)}
        files = [files for one in shown.values() for finished in one.finished for files in finished.runs]
        sections = {data: one.section() for data, one in shown.items()}
        write_page(self.folder, sections, title=self.title, files=files, seeds=self.seeds)
        return tuple(part for one in shown.values() for part in (one.table, *one.verdicts))

    def _shown(self, data: DataSet) -> Shown:
        finished = [Finished(tuple(RunFiles(one.run) for one in seed)) for seed in self.every[data]]
        return Shown(NAMES[data], finished)

    def _is_finished(self, data: DataSet) -> bool:
        return all(all_finished(seed) for seed in self.every[data])


def study(
    chosen: Sequence[DataSet] = (),
    *,
    profile: Profile = "quick",
    data_root: Path,
    seeds: Sequence[int] = (0,),
    folder: Path = Path("runs"),
) -> HonestStudy:
    """Make the study.

    Args:
        chosen: which data sets; all if none is named.
        profile: `quick` for small models on two cores, `paper` for the models of Hyun & Park 2024 on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seeds: each model is trained from each of them; gains are over all.
        folder: where runs are kept.

    Raises:
        ValueError: if there is no seed, or one stands twice.
    """
    refuse_unclear_seeds(seeds)
    every: dict[DataSet, list[tuple[Experiment, ...]]] = {
        data: [members(data, profile=profile, data_root=data_root, seed=seed, folder=folder) for seed in seeds]
        for data in NAMES
    }
    return HonestStudy(
        title=f"Hidden tasks, honestly ({profile} profile)",
        folder=folder / f"honest-{profile}",
        every=every,
        chosen=tuple(chosen or NAMES),
        seeds=tuple(seeds),
    )
