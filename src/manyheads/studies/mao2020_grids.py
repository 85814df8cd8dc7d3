"""Grids of the study of Mao et al. 2020: which models each table and figure needs, and what they are put through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, permutations

from manyheads.studies.mao2020_attacks import joint, paired, strong, vulnerability
from manyheads.studies.mao2020_models import Measurements, Model, Setting
from manyheads.tasks import PAPER_LETTERS

Shares = Mapping[str, float]
"""The weight that the auxiliary tasks share, by letters, as in `s d A`, main task first; the default under `""`."""

QUICK_SHARES: Shares = {"": 0.1}
"""Ours: 0.1 whatever the tasks are."""

STREET_SHARES: Shares = {"s d": 0.001, "s A": 0.1, "s d A": 0.001, "d s": 0.1, "d A": 0.1, "d A s": 0.01}
"""Those of the released configuration on Cityscapes."""

ROOM_SHARES: Shares = {
    "": 0.1, "s d": 0.01, "s e": 0.01, "s n": 0.1, "s r": 0.1, "s k": 0.01, "s K": 0.01, "s D": 0.1, "s A": 0.01,
    "s E": 0.1, "s p": 0.01,
}  # fmt: skip
"""Those of the released configuration on Taskonomy where the segmentation is the main task; for other main tasks, where
the paper says "either 0.1 or 0.01", 0.1 is ours."""

COMBINATIONS: Mapping[str, tuple[str, ...]] = {
    "segmentation": ("s", "s d", "s A", "s d A"),
    "depth": ("d", "d s", "d A", "d A s"),
}
"""Columns of Tables 2 and 3, by main task."""

EQUAL = ("s", "s d", "s d A", "d")
"""Models of Table 1."""


@dataclass(frozen=True, eq=False)
class Wish:
    """A model in a setting, and what it is put through."""

    setting: Setting
    model: Model
    measurements: Measurements


def spelled(letters: str) -> tuple[str, ...]:
    """Names of tasks from the paper's letters, set apart by blanks.

    >>> spelled("s d")
    ('segmentation', 'depth')
    """
    return tuple(PAPER_LETTERS[letter] for letter in letters.split())


def letters_of(tasks: Iterable[str]) -> str:
    """Write tasks by the paper's letters, set apart by blanks."""
    letters = {task: letter for letter, task in PAPER_LETTERS.items()}
    return " ".join(letters[task] for task in tasks)


def beside_main(letters: str, *, shares: Shares, hardened: bool = False) -> Model:
    """Make the model of a main task with auxiliary ones.

    Raises:
        ValueError: if no share is given for it.
    """
    share = shares.get(letters, shares.get(""))
    if " " in letters and share is None:
        raise ValueError(f"no weight is given for the auxiliary tasks of {letters!r}, only for {', '.join(shares)}")
    return Model(spelled(letters), share=share, hardened=hardened)


def growing(setting: Setting, order: str, *, examples: int | None, norms: int) -> tuple[Wish, ...]:
    """Make models of the first, the first two ... tasks with equal weights, then of every other alone (Figs. 4c and 5).

    Args:
        setting: where they are trained.
        order: letters of the tasks, in the order in which they are added.
        examples: how many test frames are attacked; None for all.
        norms: on how many test frames gradients are measured.
    """
    names = spelled(order)
    grown = [Model(names[: count + 1]) for count in range(len(names))]
    measured = joint(examples) | vulnerability(norms)
    alone = [Wish(setting, Model((name,)), joint(examples)) for name in names[1:]]
    return (*(Wish(setting, model, measured) for model in grown), *alone)


def equal(setting: Setting, *, examples: int | None) -> tuple[Wish, ...]:
    """Make models of equally weighted tasks, for Table 1."""
    return tuple(Wish(setting, Model(spelled(one)), joint(examples)) for one in EQUAL)


def with_auxiliaries_of(
    setting: Setting, shares: Shares, *, examples: int | None, hardened: bool = False
) -> tuple[Wish, ...]:
    """Make models of a main task alone, with one and with two auxiliary tasks, for Tables 2 and 3."""
    return tuple(
        Wish(setting, beside_main(one, shares=shares, hardened=hardened), strong(examples, main=main))
        for main, combinations in COMBINATIONS.items()
        for one in combinations
    )


def pairs(setting: Setting, order: Sequence[str], shares: Shares, *, examples: int | None) -> tuple[Wish, ...]:
    """Make models of every task alone, and with every other as auxiliary, for Fig. 7."""
    combinations = chain(order, (" ".join(pair) for pair in permutations(order, 2)))
    return tuple(Wish(setting, beside_main(one, shares=shares), paired(examples)) for one in combinations)
