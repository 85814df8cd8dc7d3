"""What the tables of Guo et al. 2020 need: generators, each of one kind, goal, budget and method."""

from dataclasses import dataclass
from typing import Literal

from manyheads.experiments import Method, PerturbationKind, Raised
from manyheads.studies.guo2020_printed import Goal

DataSet = Literal["office31", "nyuv2"]
"""The paper's data sets: three classifiers on separate images, or one dense model of three tasks."""

METHODS: tuple[Method, ...] = ("gap", "mta")
"""The baseline first, as the paper's tables have it."""


@dataclass(frozen=True)
class Wish:
    """One generator.

    Args:
        data: against whom.
        kind: universal or per instance.
        method: whose generator.
        level: size of the L∞ budget, in 255ths.
        goal: what the attacker wants; of dense tasks there is only `untargeted`.
        raised: what training raises.
    """

    data: DataSet
    kind: PerturbationKind
    method: Method
    level: int
    goal: Goal = "untargeted"
    raised: Raised = "logarithm"

    @property
    def title(self) -> str:
        """Name of its runs' folder.

        >>> Wish("office31", "universal", "mta", level=5).title
        'universal-untargeted-5--mta'
        """
        ending = "" if self.raised == "logarithm" else f"--{self.raised}"
        return f"{self.kind.replace('_', '-')}-{self.goal}-{self.level}--{self.method}{ending}"

    @property
    def is_reference(self) -> bool:
        """Whether the attacks that it is compared with are run beside it: once for each goal and budget."""
        return (self.kind, self.method, self.raised) == ("universal", "mta", "logarithm")


def tabled(
    data: DataSet, kind: PerturbationKind, *, goal: Goal = "untargeted", levels: tuple[int, ...]
) -> tuple[Wish, ...]:
    """List the generators of one table: both methods within each budget, the largest first."""
    return tuple(Wish(data, kind, method, level=level, goal=goal) for level in levels for method in METHODS)


def ablated() -> tuple[Wish, ...]:
    """List the generators that show what the logarithm does: MTA with it and without."""
    pairs: tuple[tuple[DataSet, PerturbationKind], ...] = (
        ("office31", "universal"),
        ("nyuv2", "universal"),
        ("nyuv2", "per_instance"),
    )
    choices: tuple[Raised, ...] = ("logarithm", "loss")
    return tuple(Wish(data, kind, "mta", level=5, raised=raised) for data, kind in pairs for raised in choices)
