import polars as pl
import pytest

from manyheads.reports import POINTS, Results, gain_account, gain_table, threats_in


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


def test_an_account_stands_below_what_the_baseline_keeps(results: Results) -> None:
    found = gains(results).filter(attack="pgd untargeted")
    table = gain_account({"right": found, "rejecting": found.with_columns(kept=0.7, gain=0.3)}, title="t")
    assert [row.labels[1] for row in table.rows][:5] == [
        "main plain",
        "main+parity plain: right",
        "main+parity plain: right, gain",
        "main+parity plain: rejecting",
        "main+parity plain: rejecting, gain",
    ]
    assert [column.group for column in table.columns] == ["clean", "gray-box"]
    assert [row.cells[1].text for row in table.rows[:5]] == ["40.0", "50.0", "+10.0", "70.0", "+30.0"]
    assert table.rows[2].cells[0].interval == "-20.0 to +15.0"


def test_a_threat_that_a_model_did_not_meet_is_not_measured(results: Results) -> None:
    found = gains(results).filter(attack="pgd untargeted")
    some = found.filter((pl.col("threat") == "clean") | (pl.col("model") != "main+parity plain"))
    table = gain_account({"right": some}, title="t")
    assert [row.cells[1].text for row in table.rows[:4]] == ["not measured"] * 3 + ["40.0"]


def test_an_account_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs at least one account"):
        gain_account({}, title="t")


def test_threats_stand_by_what_the_attacker_knows() -> None:
    found = pl.DataFrame({"threat": ["worst of all", "adaptive", "noise", "clean"]})
    assert threats_in(found) == ("clean", "noise", "adaptive", "worst of all")
