import tomllib
from importlib.resources import files

import polars as pl
import pytest

from manyheads.studies.mao2020_printed import PrintedTable, printed_means, printed_pairs, printed_scores

GAIN = pl.col("relative_improvement_percent")


def scores(table: PrintedTable, **where: str) -> list[float]:
    return printed_scores(table).filter(**where)["value"].to_list()


def test_tables_have_all_their_cells() -> None:
    assert [len(printed_scores(table)) for table in ("table1", "table2", "table3")] == [12, 60, 36]


def test_cells_stand_where_the_paper_prints_them() -> None:
    assert scores("table1", task="segmentation", evaluation="pgd", combination="s d A") == [pytest.approx(0.1636)]
    assert scores("table1", task="depth", evaluation="clean", combination="s d A") == [1.96]
    assert scores("table2", task="segmentation", evaluation="houdini-100", combination="s A") == [pytest.approx(0.0624)]
    assert scores("table2", task="depth", evaluation="pgd-50", combination="d s") == [9.07]
    assert scores("table3", task="segmentation", evaluation="mim-100", combination="s") == [pytest.approx(0.1954)]
    assert scores("table3", task="depth", evaluation="clean", combination="d A s") == [2.15]


def test_houdini_attacks_no_depth() -> None:
    assert scores("table2", task="depth", evaluation="houdini-100") == []


def test_the_matrix_has_every_pair_once() -> None:
    pairs = printed_pairs()
    assert len(pairs) == 2 * 11 * 11
    assert pairs.select("evaluation", "main_task", "auxiliary_task").is_unique().all()
    assert pairs.filter(GAIN.is_null()).filter(pl.col("main_task") != pl.col("auxiliary_task")).is_empty()
    assert pairs["relative_improvement_percent"].null_count() == 22


def test_cells_of_the_matrix_stand_where_the_paper_prints_them() -> None:
    pairs = printed_pairs()
    cell = pairs.filter(evaluation="pgd50_eps4", main_task="segmentation", auxiliary_task="depth")
    assert cell["relative_improvement_percent"].item() == 44.61
    assert cell["single_task_baseline"].item() == 13.36
    assert cell["baseline_unit"].item() == "%"
    cell = pairs.filter(evaluation="clean", main_task="curvature", auxiliary_task="keypoints2d")
    assert cell["relative_improvement_percent"].item() == 26.18
    assert cell["single_task_baseline"].item() == pytest.approx(0.001048)


@pytest.mark.parametrize(("evaluation", "better"), [("pgd50_eps4", 88), ("clean", 70)])
def test_so_many_of_110_pairs_are_better_than_the_main_task_alone(evaluation: str, better: int) -> None:
    gains = printed_pairs().filter(GAIN.is_not_null(), evaluation=evaluation)
    assert len(gains) == 110
    assert len(gains.filter(GAIN > 0)) == better


def test_printed_means_are_those_of_the_printed_cells() -> None:
    keys = ["evaluation", "main_task"]
    means = printed_pairs().group_by(keys).agg(GAIN.mean()).join(printed_means(), on=keys)
    assert len(means) == 22
    assert (means["relative_improvement_percent"] - means["relative_improvement_percent_right"]).abs().max() < 0.0055


def test_the_mean_gain_of_the_text_is_that_of_the_matrix_under_attack_only() -> None:
    means = dict(printed_pairs().group_by("evaluation").agg(GAIN.mean()).iter_rows())
    assert means["pgd50_eps4"] == pytest.approx(10.23, abs=0.005)
    assert means["clean"] == pytest.approx(1.98, abs=0.005)  # 4.7 in the text


def test_the_source_is_stated_for_every_table() -> None:
    printed = files("manyheads.studies").joinpath("printed")
    stated = tomllib.loads(printed.joinpath("mao2020.toml").read_text(encoding="utf-8"))
    tables = {path.name.removesuffix(".csv") for path in printed.iterdir() if path.name.startswith("mao2020_")}
    assert stated["tables"].keys() == tables
    columns = {name for table in tables for name in pl.read_csv(printed.joinpath(f"{table}.csv").read_bytes()).columns}
    assert stated["columns"].keys() == columns
