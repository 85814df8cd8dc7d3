import polars as pl

from manyheads.reports import POINTS, Results, gain_table


def gains(results: Results, *, gain: float = 0.1) -> pl.DataFrame:
    """Gains of every model with hidden tasks that was plainly trained, gray-box alone but for the last attack."""
    models = results.models.filter(pl.col("training") == "plain", pl.col("combination") != "main")["model"]
    rows = [
        {
            "model": model, "baseline": "main plain", "attack": one.attack, "eps": one.eps, "norm": one.norm,
            "threat": threat, "gain": -gain if threat == "clean" else gain, "low": gain - 0.3, "high": gain + 0.05,
            "p_value": 0.5, "kept": 0.5, "kept_baseline": 0.4, "n": 360, "seeds": 1,
        }
        for model in models
        for one in results.challenges
        for threat in ("clean", "gray-box")
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_gains_stand_by_training_attack_and_threat(results: Results) -> None:
    table = gain_table(gains(results), results)
    assert [row.labels for row in table.rows] == [("main+parity",), ("main+prime",), ("main+parity+prime",)]
    assert {column.block for column in table.columns} == {"plain"}
    assert table.columns[0].group == "clean"
    assert [column.name for column in table.columns[1:5]] == ["gray-box", "white-box", "adaptive", "worst of all"]
    assert len(table.columns) == 1 + 3 * 4


def test_a_cell_is_in_points_with_its_interval_and_n(results: Results) -> None:
    clean, gray, white, *_ = gain_table(gains(results), results).rows[0].cells
    assert (clean.text, gray.text, gray.interval, gray.n) == ("-10.0", "+10.0", "-20.0 to +15.0", 360)
    assert gray.measure == POINTS
    assert white.text == "not measured"


def test_without_gains_there_is_nothing_to_show(results: Results) -> None:
    table = gain_table(gains(results).clear(), results)
    assert (table.rows, table.columns) == ((), ())
