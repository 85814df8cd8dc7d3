"""The settings of the study of Guo et al. 2020, and the runs in them: small on two cores, or the paper's, for a GPU.

What the paper leaves open is this project's choice: see the recipes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from manyheads import recipes
from manyheads.experiments import GenerativeExperiment, PerturbationKind
from manyheads.studies.guo2020_wishes import DataSet, Wish
from manyheads.threats import Linf

Profile = Literal["quick", "paper"]
"""Small models on two cores, or the paper's setting for a GPU."""

TARGET = "bike_helmet"
"""The class of targeted attacks."""

VICTIM_SEED = 0
"""All seeds of a study attack the same victims, as the paper's one set of models: they differ in the generator."""


@dataclass(frozen=True)
class Setting:
    """Generators against the same victims: one experiment for each kind, from which the others are made.

    Args:
        name: of the folder of its runs.
        bases: an experiment of MTA for each kind.
        target: the class of targeted attacks.
    """

    name: str
    bases: Mapping[PerturbationKind, GenerativeExperiment]
    target: str = TARGET


Settings = Mapping[DataSet, Setting]
"""A setting for each data set."""


def settings(profile: Profile) -> Settings:
    """Make both settings of a profile."""
    if profile == "quick":
        office = Setting(
            "office31",
            {"universal": recipes.office31_mta(), "per_instance": recipes.office31_mta_per_instance()},
        )
        rooms = Setting("nyuv2", {"universal": recipes.nyuv2_mta(), "per_instance": recipes.nyuv2_mta_per_instance()})
        return {"office31": office, "nyuv2": rooms}
    office = Setting(
        "office31",
        {"universal": recipes.office31_mta_paper(), "per_instance": recipes.office31_mta_per_instance_paper()},
    )
    rooms = Setting(
        "nyuv2",
        {"universal": recipes.nyuv2_mta_paper(), "per_instance": recipes.nyuv2_mta_per_instance_paper()},
    )
    return {"office31": office, "nyuv2": rooms}


@dataclass(frozen=True, kw_only=True)
class GeneratorRuns:
    """Where the runs of a study go, and what they read.

    Args:
        study: name of the study, the folder of its runs.
        settings: whom generators are trained against.
        data_root: the folder that holds the data sets; None for victims that need none.
        folder: where runs are kept.
    """

    study: str
    settings: Settings
    data_root: Path | None
    folder: Path

    def experiment(self, wish: Wish, *, seed: int) -> GenerativeExperiment:
        """Make the experiment of one generator from one seed; its name says both."""
        setting = self.settings[wish.data]
        base = setting.bases[wish.kind]
        others = base.transfers if wish.method == "mta" and wish.raised == "logarithm" else {}  # as in the paper
        return replace(
            base,
            name=f"{self.study}/{setting.name}/{wish.title}/seed-{seed}",
            victims={name: replace(victim, **self._place(name, setting)) for name, victim in base.victims.items()},
            transfers={name: replace(other, **self._place(name, setting)) for name, other in others.items()},
            data_root=self.data_root,
            target=setting.target if wish.goal == "targeted" else None,
            budget=Linf(wish.level / 255),
            generator=replace(base.generator, method=wish.method),
            training=replace(base.training, raised=wish.raised),
            references=base.references if wish.is_reference else {},
            seed=seed,
            folder=self.folder,
        )

    def _place(self, victim: str, setting: Setting) -> dict[str, Any]:
        """Say where a victim's run lies, and from which seed it is trained."""
        return {"name": f"{self.study}/{setting.name}/victims/{victim}", "seed": VICTIM_SEED}
