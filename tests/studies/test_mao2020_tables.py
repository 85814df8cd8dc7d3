from collections.abc import Sequence

import polars as pl
import pytest

from manyheads.reports import Section, Table
from manyheads.studies.mao2020_grids import COMBINATIONS
from manyheads.studies.mao2020_measured import Measured
from manyheads.studies.mao2020_tables import STRONG, hardened, joint_attack, single_attack

SCORES = {"s": ("segmentation", "miou"), "d": ("depth", "absolute_error"), "A": ("autoencoding", "l1")}


def measured(models: Sequence[str], attacks: Sequence[str], *, threat: str) -> Measured:
    """Scores that grow with the seed, of every task of every model under every attack that it can be put through."""
    rows = [
        {
            "model": model, "threat": threat, "attack": attack, "eps": 4 / 255, "norm": "Linf", "condition": condition,
            "score": SCORES[letter][1], "task": SCORES[letter][0], "value": 0.1 + 0.1 * seed, "n": 4, "low": 0.0,
            "high": 1.0, "setting": "x", "seed": seed,
        }
        for model in models for attack in attacks for letter in model.split() for seed in (0, 1)
        for condition in ("clean", "attacked") if attack != "houdini-100" or model[0] == "s"
    ]  # fmt: skip
    return Measured(pl.DataFrame(rows), pl.DataFrame())


def printed(table: Table) -> dict[tuple[str, str], float | None]:
    return {
        (row.labels[0], column.group): cell.printed
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }


def test_table_one_has_the_papers_numbers_beside_ours() -> None:
    section = joint_attack(measured(["s", "s d", "s d A", "d"], ["pgd"], threat="multi-task"))
    segmentation, depth = (printed(table) for table in section.tables)
    assert segmentation["s d A", "pgd"] == pytest.approx(0.1636)
    assert segmentation["s", "clean"] == pytest.approx(0.4477)
    assert depth["s d", "pgd"] == 6.08
    assert [row.labels[0] for row in section.tables[1].rows] == ["d", "s d", "s d A"]


@pytest.mark.parametrize(("show", "expected"), [(single_attack, (0.1152, 10.8)), (hardened, (0.2183, 2.85))])
def test_tables_two_and_three_have_the_papers_numbers_beside_ours(show: object, expected: tuple[float, float]) -> None:
    models = [model for combinations in COMBINATIONS.values() for model in combinations]
    section: Section = show(measured(models, STRONG, threat="single-task"))
    segmentation, depth = section.tables
    assert printed(segmentation)["s d A", "pgd-100"] == pytest.approx(expected[0])
    assert printed(depth)["d", "pgd-100"] == expected[1]
    assert [column.group for column in segmentation.columns] == ["clean", *STRONG]
    assert [column.group for column in depth.columns] == ["clean", *STRONG[:-1]]
    assert [row.labels[0] for row in depth.rows] == list(COMBINATIONS["depth"])


def test_cells_are_means_over_seeds_with_their_spread() -> None:
    section = joint_attack(measured(["s", "s d", "s d A", "d"], ["pgd"], threat="multi-task"))
    cell = section.tables[0].rows[0].cells[1]
    assert (cell.value, cell.low, cell.high, cell.seeds) == (pytest.approx(0.15), 0.1, 0.2, 2)
