"""The study of Guo et al. 2020: one learned attack on several tasks (MTA) against one for each task (GAP).

Tables 1 to 7 and what the logarithm of the losses does, our numbers beside the printed ones. A generator that several
parts need is one run; all attack the same victims.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from manyheads.experiments import Bars, GenerativeExperiment, RayCluster, RunFiles
from manyheads.reports import Section, Table
from manyheads.studies.guo2020_cost import cost_section, costs
from manyheads.studies.guo2020_measured import found
from manyheads.studies.guo2020_parts import COST, Part, PartName, parts
from manyheads.studies.guo2020_settings import GeneratorRuns, Profile, Settings, settings
from manyheads.studies.members import all_finished, carry_out, each_once, refuse_unclear_seeds
from manyheads.studies.page import write_page

TIMED_SIZE = (288, 384)
"""Size of the image of Table 7, as in the paper, in both profiles."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneratorStudy:
    """Some parts of the study, from some seeds.

    Args:
        title: heading of its report.
        folder: where its report, tables and figures go.
        every: all parts that need generators, by name.
        chosen: the parts that are run.
        runs: where the runs go, and whom they attack.
        seeds: each generator is trained from each of them.
        timed_size: size of the image whose perturbations are timed.
        repeats: how often.
    """

    title: str
    folder: Path
    every: Mapping[PartName, Part]
    chosen: Sequence[PartName]
    runs: GeneratorRuns
    seeds: Sequence[int]
    timed_size: tuple[int, int] = TIMED_SIZE
    repeats: int = 15

    @cached_property
    def members(self) -> tuple[GenerativeExperiment, ...]:
        """All experiments that are run, each once, seed after seed."""
        return self._experiments([name for name in self.chosen if name != COST])

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
        if COST in self.chosen:  # before all else, while nothing else keeps the machine busy
            with bars.bar("time of perturbations"):
                costs(self._costs, size=self.timed_size, repeats=self.repeats)
        carry_out(self.members, bars, jobs=jobs, ray=ray)
        sections = self._sections()
        shown = self._experiments([name for name in self.every if name in sections])
        victims = {str(one.run): RunFiles(one.run) for each in shown for one in each.victim_runs.values()}
        runs = [*victims.values(), *(RunFiles(experiment.run) for experiment in shown)]
        write_page(self.folder, sections, title=self.title, files=runs, seeds=self.seeds)
        return tuple(table for section in sections.values() for table in section.tables)

    @property
    def _costs(self) -> Path:
        return self.folder / f"{COST}.json"

    def _sections(self) -> dict[str, Section]:
        """Show the chosen parts, and others that are finished."""
        sections: dict[str, Section] = {}
        for name, part in self.every.items():
            if name in self.chosen or self._is_finished(name):
                sections[name] = part.show(found(part.wishes, self.runs, seeds=self.seeds))
        if self._costs.exists():
            sections[COST] = cost_section(self._costs)
        return sections

    def _experiments(self, names: Sequence[PartName]) -> tuple[GenerativeExperiment, ...]:
        return each_once(
            self.runs.experiment(wish, seed=seed)
            for seed in self.seeds
            for name in names
            for wish in self.every[name].wishes
        )

    def _is_finished(self, name: PartName) -> bool:
        return all_finished(self._experiments([name]))


def study(
    chosen: Sequence[PartName] = (),
    *,
    profile: Profile = "quick",
    data_root: Path | None,
    seeds: Sequence[int] = (0,),
    folder: Path = Path("runs"),
) -> GeneratorStudy:
    """Make the study.

    Args:
        chosen: which tables; all if none is named.
        profile: `quick` for small models on two cores, `paper` for the paper's setting on a GPU.
        data_root: the folder that holds the data sets in their official layouts.
        seeds: each generator is trained from each of them; tables show the mean with the lowest and the highest.
        folder: where runs are kept.
    """
    return assembled(
        settings(profile), chosen, name=f"guo2020-{profile}", data_root=data_root, seeds=seeds, folder=folder
    )


def assembled(
    victims: Settings,
    chosen: Sequence[PartName],
    *,
    name: str,
    data_root: Path | None,
    seeds: Sequence[int],
    folder: Path,
) -> GeneratorStudy:
    """Put a study together from its settings.

    Args:
        victims: whom generators are trained against, and how, by data set.
        chosen: the parts that are run and shown; all if none is named.
        name: of the folder of its runs and of its report.
        data_root: the folder that holds the data sets; None for victims that need none.
        seeds: each generator is trained from each of them.
        folder: where runs are kept.

    Raises:
        ValueError: if there is no seed, or one stands twice.
    """
    refuse_unclear_seeds(seeds)
    every, profile = parts(), name.removeprefix("guo2020-")
    return GeneratorStudy(
        title=f"Attacks learned for many tasks ({profile} profile of the study of Guo et al. 2020)",
        folder=folder / name,
        every=every,
        chosen=tuple(chosen or (*every, COST)),
        runs=GeneratorRuns(study=name, settings=victims, data_root=data_root, folder=folder),
        seeds=tuple(seeds),
    )
