"""Tables 1 to 3 of Mao et al. 2020, with our numbers beside the printed ones."""

from manyheads.reports import CLEAN, DensePrinted, Section, Table, dense_table
from manyheads.studies.mao2020_attacks import BUDGET, SWEPT
from manyheads.studies.mao2020_grids import COMBINATIONS
from manyheads.studies.mao2020_measured import Measured
from manyheads.studies.mao2020_printed import PrintedTable, printed_scores

STRONG = ("fgsm", "pgd-10", "pgd-20", "pgd-50", "pgd-100", "mim-100", "houdini-100")
"""Attacks of Table 2, in order."""

_PRINTED_MODELS = {"segmentation": ("s", "s d", "s d A"), "depth": ("d", "s d", "s d A")}
_ELSEWHERE = (
    "The paper's numbers stand beside ours for orientation: they are of Cityscapes, where the depth's error has a unit "
    "that is not stated."
)


def joint_attack(found: Measured) -> Section:
    """Show Table 1: models of equally weighted tasks, all tasks attacked together.

    The paper does not say within which budget; ours is 4/255.
    """
    results = found.results([SWEPT], eps=BUDGET.eps)
    tables = tuple(
        dense_table(results, main=task, models=models, printed=_printed("table1", task))
        for task, models in _PRINTED_MODELS.items()
    )
    text = "Tasks weigh the same in training and are attacked together. The paper does not state the ε of its attack."
    return Section(title="Table 1: all tasks attacked together", text=(text, _ELSEWHERE), tables=tables)


def single_attack(found: Measured) -> Section:
    """Show Table 2: a main task with auxiliary ones, the main task attacked."""
    text = "The first letter is the main task, which is attacked; the others are auxiliary tasks of its training."
    return Section(
        title="Table 2: the main task attacked",
        text=(text, _ELSEWHERE),
        tables=_by_main_task(found, table="table2"),
    )


def hardened(found: Measured) -> Section:
    """Show Table 3: Table 2 after adversarial training on images whose tasks are attacked together."""
    text = "As Table 2, after adversarial training: all tasks of a model are attacked together to make its images."
    return Section(
        title="Table 3: adversarial training",
        text=(text, _ELSEWHERE),
        tables=_by_main_task(found, table="table3"),
    )


def _by_main_task(found: Measured, *, table: PrintedTable) -> tuple[Table, ...]:
    """Make one table per main task; Houdini's attack, which only a segmentation has, is no column of the depth's."""
    return tuple(
        dense_table(
            found.results(STRONG if main == "segmentation" else STRONG[:-1]),
            main=main,
            models=models,
            printed=_printed(table, main),
        )
        for main, models in COMBINATIONS.items()
    )


def _printed(table: PrintedTable, task: str) -> DensePrinted:
    return {
        (row["combination"], row["evaluation"], 0.0 if row["evaluation"] == CLEAN else BUDGET.eps): row["value"]
        for row in printed_scores(table).filter(task=task).iter_rows(named=True)
    }
