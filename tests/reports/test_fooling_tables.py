import polars as pl
import pytest

from manyheads.reports import fooling_table, own_task_table

COUNTED = {"eps": 0.1, "norm": "Linf", "main": "x", "low": 0.1, "high": 0.9, "n": 10}


def rows(model: str, threat: str, attack: str, **scores: float) -> list[dict]:
    """Scores on attacked images, and half of each on clean ones."""
    named = {"model": model, "threat": threat, "attack": attack, **COUNTED}
    return [
        {**named, "condition": condition, "score": score, "task": threat, "value": value * part}
        for score, value in scores.items()
        for condition, part in (("attacked", 1.0), ("clean", 0.5))
        if (score, condition) != ("fooling_ratio", "clean")
    ]


def test_each_classifier_has_a_column_and_each_attack_a_row() -> None:
    scores = [
        *rows("cats", "cats", "mta", fooling_ratio=0.6, accuracy=0.2),
        *rows("dogs", "dogs", "mta", fooling_ratio=0.8, accuracy=0.4),
        *rows("cats", "cats", "noise", fooling_ratio=0.1, accuracy=0.9),
        *rows("dogs", "cats", "mta", fooling_ratio=0.3, accuracy=0.3),
    ]
    table = fooling_table(pl.DataFrame(scores))
    assert [(column.group, column.name) for column in table.columns] == [
        ("fooling ratio", "cats"),
        ("fooling ratio", "dogs"),
        ("accuracy", "cats"),
        ("accuracy", "dogs"),
    ]
    assert [row.labels for row in table.rows] == [("clean",), ("mta",), ("noise",)]
    assert [cell.value for cell in table.rows[1].cells] == [0.6, 0.8, 0.2, 0.4]
    assert [cell.value for cell in table.rows[0].cells] == [None, None, 0.1, 0.2]
    assert table.rows[2].cells[1].value is None


def test_each_dense_task_is_scored_under_its_own_attack() -> None:
    scores = [
        *rows("rooms", "depth", "mta", absolute_error=2.0, loss=9.0),
        *rows("rooms", "normals", "mta", mean_angle=60.0),
        *rows("other", "depth", "mta", absolute_error=1.0),
    ]
    other = {**scores[0], "threat": "normals", "value": 7.0}
    table = own_task_table(pl.DataFrame([*scores, other]), tasks=("depth", "normals"))
    assert [column.block for column in table.columns] == ["depth", "normals"]
    assert table.columns[0].group == "absolute error (m) ↓"
    assert [row.labels for row in table.rows] == [
        ("rooms", "clean"),
        ("rooms", "mta"),
        ("other", "clean"),
        ("other", "mta"),
    ]
    assert [cell.value for cell in table.rows[1].cells] == [2.0, 60.0]
    assert table.rows[3].cells[1].value is None
    assert table.rows[1].cells[0].low == pytest.approx(0.1)
