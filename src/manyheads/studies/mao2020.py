"""The study of Mao et al. 2020: whether more tasks make a dense model harder to attack.

Figs. 4, 5 and 7 and Tables 1 to 3, our numbers beside the printed ones. A model that several parts need is one run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from manyheads.experiments import Bars, DenseExperiment, RayCluster, RunFiles
from manyheads.reports import Section, Table
from manyheads.studies.mao2020_measured import measured
from manyheads.studies.mao2020_models import Runs
from manyheads.studies.mao2020_parts import Part, PartName, paper_parts, quick_parts, union
from manyheads.studies.mao2020_settings import Indoor
from manyheads.studies.members import all_finished, carry_out, each_once, refuse_unclear_seeds
from manyheads.studies.page import write_page

Profile = Literal["quick", "paper"]
"""Small models on two cores, or the paper's setting for a GPU."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DenseStudy:
    """Some parts of the study, from some seeds.

    Args:
        title: heading of its report.
        folder: where its report, tables and figures go.
        every: all parts of the profile, by name.
        chosen: those that are run.
        runs: where the runs go, and what every model is put through.
        seeds: each model is trained from each of them.
    """

    title: str
    folder: Path
    every: Mapping[PartName, Part]
    chosen: Sequence[PartName]
    runs: Runs
    seeds: Sequence[int]

    @cached_property
    def members(self) -> tuple[DenseExperiment, ...]:
        """All experiments that are run, each once, seed after seed."""
        return self._experiments(self.chosen)

    def conduct(self, bars: Bars, *, jobs: int = 1, ray: RayCluster | None = None) -> tuple[Table, ...]:
        """Run what has not been run yet, write `report.html`, `results.md` and figures, and return the tables.

        Other parts whose runs are all finished, from the same seeds, are shown too.

        Args:
            bars: where progress is shown.
            jobs: how many experiments run at once; on Ray, its cluster says so.
            ray: run them on Ray instead.

        Raises:
            ImportError: if Ray is wanted and cannot be imported.
            ValueError: if an experiment cannot be carried out.
        """
        carry_out(self.members, bars, jobs=jobs, ray=ray)
        finished: list[PartName] = [name for name in self.every if name in self.chosen or self._is_finished(name)]
        sections: dict[str, Section] = {}
        for name in finished:
            part = self.every[name]
            sections[name] = part.show(measured(part.wishes, self.runs, seeds=self.seeds))
        runs = tuple(RunFiles(experiment.run) for experiment in self._experiments(finished))
        write_page(self.folder, sections, title=self.title, files=runs, seeds=self.seeds)
        return tuple(table for section in sections.values() for table in section.tables)

    def _experiments(self, names: Sequence[PartName]) -> tuple[DenseExperiment, ...]:
        return each_once(
            self.runs.experiment(wish.model, setting=wish.setting, seed=seed)
            for seed in self.seeds
            for name in names
            for wish in self.every[name].wishes
        )

    def _is_finished(self, name: PartName) -> bool:
        return all_finished(self._experiments([name]))


def study(
    parts: Sequence[PartName] = (),
    *,
    profile: Profile = "quick",
    data_root: Path | None,
    seeds: Sequence[int] = (0,),
    indoor: Indoor = "taskonomy",
    folder: Path = Path("runs"),
) -> DenseStudy:
    """Make the study.

    What a model is put through does not depend on the parts that are asked for: it is all that any part of the profile
    wants of it. So parts can be run one after another, in any order, and share their models.

    Args:
        parts: which tables and figures; all if none is named.
        profile: `quick` for small models on NYUv2 on two cores, `paper` for the paper's setting on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seeds: each model is trained from each of them; tables show the mean with the lowest and the highest.
        indoor: frames of rooms of the profile `paper`.
        folder: where runs are kept.
    """
    every = quick_parts() if profile == "quick" else paper_parts(indoor)
    return assembled(every, parts, name=f"mao2020-{profile}", data_root=data_root, seeds=seeds, folder=folder)


def assembled(
    every: Mapping[PartName, Part],
    chosen: Sequence[PartName],
    *,
    name: str,
    data_root: Path | None,
    seeds: Sequence[int],
    folder: Path,
) -> DenseStudy:
    """Put a study together from its parts.

    Args:
        every: all parts of the profile.
        chosen: those that are run and shown; all if none is named.
        name: of the folder of its runs and of its report.
        data_root: the folder that holds the data sets; None for scenes that need none.
        seeds: each model is trained from each of them.
        folder: where runs are kept.

    Raises:
        ValueError: if there is no seed, or one stands twice.
    """
    refuse_unclear_seeds(seeds)
    return DenseStudy(
        title=f"Many tasks against attacks ({name.removeprefix('mao2020-')} profile of the study of Mao et al. 2020)",
        folder=folder / name,
        every=every,
        chosen=tuple(chosen or every),
        runs=Runs(study=name, data_root=data_root, folder=folder, measurements=union(every.values())),
        seeds=tuple(seeds),
    )
