import polars as pl
import pytest

from manyheads.studies.mao2020_measured import Measured
from manyheads.studies.mao2020_pairs import improvements, pair_matrix

VALUES = {"s": 0.4, "d": 2.0, "n": 0.5, "s d": 0.5, "s n": 0.2, "d s": 1.0, "d n": 3.0, "n s": 0.5, "n d": 0.25}
SCORES = {"s": ("segmentation", "miou"), "d": ("depth", "absolute_error"), "n": ("normals", "l1")}


def measured(*, seeds: tuple[int, ...] = (0,), values: dict[str, float] = VALUES) -> Measured:
    """The main task's scores; every seed after the first is worse by a tenth where the task is not alone."""
    rows = [
        {
            "model": model, "threat": "single-task", "attack": attack, "eps": 4 / 255, "norm": "Linf",
            "condition": condition, "score": SCORES[model[0]][1], "task": SCORES[model[0]][0],
            "value": value * (1 - 0.1 * seed * (len(model) > 1)), "n": 4, "low": 0.0, "high": 9.0, "setting": "x",
            "seed": seed,
        }
        for model, value in values.items() for attack in ("fgsm", "pgd-50") for condition in ("clean", "attacked")
        for seed in seeds
    ]  # fmt: skip
    return Measured(pl.DataFrame(rows), pl.DataFrame())


def gain(found: Measured, main: str, auxiliary: str) -> list[float]:
    gains = improvements(found).filter(evaluation="pgd50_eps4", main_task=main, auxiliary_task=auxiliary)
    return gains["relative_improvement_percent"].to_list()


def test_improvements_are_positive_where_a_score_became_better() -> None:
    assert gain(measured(), "segmentation", "depth") == [pytest.approx(25)]
    assert gain(measured(), "segmentation", "normals") == [pytest.approx(-50)]
    assert gain(measured(), "depth", "segmentation") == [pytest.approx(50)]
    assert gain(measured(), "depth", "normals") == [pytest.approx(-50)]
    assert gain(measured(), "normals", "segmentation") == [pytest.approx(0)]
    assert gain(measured(), "depth", "depth") == [None]


def test_an_improvement_on_nothing_has_no_percentage() -> None:
    assert gain(measured(values={**VALUES, "s": 0.0}), "segmentation", "depth") == [None]


def test_baselines_have_their_units() -> None:
    found = (
        improvements(measured()).filter(evaluation="clean").select("main_task", "single_task_baseline", "baseline_unit")
    )
    assert set(found.iter_rows()) == {("segmentation", 40.0, "%"), ("depth", 2.0, "m"), ("normals", 0.5, "")}


def test_the_matrix_is_shown_with_the_papers_beside_ours() -> None:
    section = pair_matrix(measured())
    assert [table.title for table in section.tables] == ["Clean images", "Under attack: PGD-50, ε = 4/255"]
    row = section.tables[1].rows[0]
    assert row.labels == ("segmentation (%)",)
    assert [cell.printed for cell in row.cells[1:-1]] == [None, 44.61, 24.48]
    assert len(section.pictures) == 1
    assert all("auto" not in row.labels[0] for row in section.tables[0].rows)


def test_several_seeds_are_shown_as_mean_and_spread() -> None:
    row = pair_matrix(measured(seeds=(0, 1))).tables[1].rows[0]
    cell = row.cells[2]
    assert (cell.value, cell.low, cell.high) == (pytest.approx(18.75), pytest.approx(12.5), pytest.approx(25))
    assert (cell.seeds, cell.printed) == (2, 44.61)
