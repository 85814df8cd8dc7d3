"""Tables of facts: what they need, and that they survive the way to disk."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from manyheads.evaluation import Facts, joined


def test_facts_come_back_from_disk_as_they_were(facts: Facts, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "gray-box--pgd eps 0.3.parquet"
    facts.save(path)
    assert_frame_equal(Facts.load(path).table, facts.table)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_saving_again_replaces_the_file(facts: Facts, tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    facts.save(path)
    facts.labelled(model="other", attack="fgsm").save(path)
    assert set(Facts.load(path).table["model"]) == {"other"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no facts at .*nothing\.parquet; evaluate first"):
        Facts.load(tmp_path / "nothing.parquet")


@pytest.mark.parametrize("kept", [0, 10, 500])
def test_a_damaged_file_is_named(facts: Facts, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "facts.parquet"
    facts.save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        ValueError, match=r"facts\.parquet is not a whole Parquet file .*; delete it and evaluate again"
    ):
        Facts.load(path)


@pytest.mark.parametrize("column", ["model", "eps", "won", "score_clean", "rejected_attacked"])
def test_a_table_without_a_required_column_is_refused(facts: Facts, column: str) -> None:
    with pytest.raises(ValueError, match=f"a table of facts needs the columns {column}; it has"):
        Facts(facts.table.drop(column))


def test_labels_rename_model_and_attack_and_nothing_else(facts: Facts) -> None:
    named = facts.labelled(model="main+parity", attack="pgd targeted")
    assert set(named.table["model"]) == {"main+parity"}
    assert set(named.table["attack"]) == {"pgd targeted"}
    assert_frame_equal(named.table.drop("model", "attack"), facts.table.drop("model", "attack"))


def test_the_main_task_is_named_first(facts: Facts) -> None:
    assert facts.tasks == ("digit", "parity")
    assert Facts(facts.table.with_columns(pl.lit("parity").alias("main"))).tasks == ("parity", "digit")


def test_joined_facts_are_all_there_and_a_task_that_one_model_lacks_is_null(facts: Facts) -> None:
    single = Facts(facts.table.drop("parity.truth", "parity.clean", "parity.attacked")).labelled(
        model="s", attack="pgd"
    )
    both = joined([facts, single])
    assert len(both.table) == 10
    assert both.tasks == ("digit", "parity")
    assert both.table.filter(model="s")["parity.truth"].null_count() == 5
    assert_frame_equal(both.table.filter(model="m"), facts.table)


def test_facts_without_a_rejector_join_those_with_one(facts: Facts) -> None:
    unguarded = facts.table.with_columns(pl.lit(None, pl.Float64).alias("score_clean"))
    assert joined([Facts(unguarded), facts]).table["score_clean"].null_count() == 5


def test_joining_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="there are no facts to join"):
        joined([])
