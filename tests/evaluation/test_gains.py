"""Gains over a baseline, on four examples whose fate is known."""

from collections.abc import Sequence

import polars as pl
import pytest

from manyheads.evaluation import CLEAN, WORST, Duel, Facts, gains

BASELINES = {"many": "one"}


def facts(rows: Sequence[tuple[str, str, str, str]], *, eps: float = 0.3) -> Facts:
    """Facts of models under threats: per example r (right), x (rejected wrong), w (wrong), u (unknown class)."""
    parts = []
    for model, threat, clean, attacked in rows:
        count = len(attacked)
        answers = {
            f"digit.{when}": [0 if fate == "r" else 1 for fate in fates]
            for when, fates in (("clean", clean), ("attacked", attacked))
        }
        parts.append(
            pl.DataFrame(
                {
                    "model": model, "threat": threat, "attack": "pgd", "eps": eps, "norm": "Linf", "main": "digit",
                    "index": range(10, 10 + count), "size": eps, "won": False, "loss_clean": 0.0, "loss_attacked": 0.0,
                    "score_clean": 0.0, "score_attacked": 0.0,
                    "rejected_clean": [fate == "x" for fate in clean],
                    "rejected_attacked": [fate == "x" for fate in attacked],
                    "digit.truth": [None if fate == "u" else 0 for fate in attacked],
                    **answers,
                }
            )
        )  # fmt: skip
    return Facts(pl.concat(parts))


ROWS = [
    ("many", "gray-box", "rrxw", "rxxw"),
    ("many", "adaptive", "rrxw", "rwww"),
    ("one", "gray-box", "rrrr", "rwww"),
    ("one", "adaptive", "rrrr", "wwww"),
]


def row(table: pl.DataFrame, threat: str) -> dict:
    return table.row(by_predicate=pl.col("threat") == threat, named=True)


def test_a_gain_is_the_mean_difference_of_right_or_rejected() -> None:
    table = gains([facts(ROWS)], baselines=BASELINES)
    gray, adaptive = row(table, "gray-box"), row(table, "adaptive")
    assert (gray["kept"], gray["kept_baseline"], gray["gain"], gray["n"], gray["seeds"]) == (0.75, 0.25, 0.5, 4, 1)
    assert (adaptive["kept"], adaptive["kept_baseline"], adaptive["gain"]) == (0.25, 0.0, 0.25)
    assert gray["p_value"] == Duel(more=2, less=0, n=4).p_value
    assert gray["low"] <= 0.5 <= gray["high"]


def test_on_clean_images_a_rejection_is_an_error() -> None:
    clean = row(gains([facts(ROWS)], baselines=BASELINES), CLEAN)
    assert (clean["kept"], clean["kept_baseline"], clean["gain"]) == (0.5, 1.0, -0.5)


def test_the_worst_threat_is_each_examples_own() -> None:
    crossed = [
        ("many", "gray-box", "rrrr", "rwrw"),
        ("many", "adaptive", "rrrr", "wrrw"),
        ("one", "gray-box", "rrrr", "rrww"),
    ]
    worst = row(gains([facts(crossed)], baselines=BASELINES), WORST)
    assert (worst["kept"], worst["kept_baseline"]) == (0.25, 0.5)


def test_a_baseline_without_a_threat_is_taken_gray_box() -> None:
    white = [("many", "white-box", "rrrr", "rrrw"), ("one", "gray-box", "rrrr", "rwww")]
    found = row(gains([facts(white)], baselines=BASELINES), "white-box")
    assert (found["kept"], found["kept_baseline"]) == (0.75, 0.25)


def test_examples_are_paired_by_number_and_those_of_unknown_class_left_out() -> None:
    shorter = [("many", "gray-box", "rrrrr", "rrrur"), ("one", "gray-box", "rrr", "wwr")]
    found = row(gains([facts(shorter)], baselines=BASELINES), "gray-box")
    assert (found["n"], found["gain"]) == (3, pytest.approx(2 / 3))


def test_seeds_are_averaged_over_the_examples_that_all_have() -> None:
    second = [(model, threat, "rrr", "www") for model, threat, *_ in ROWS]
    found = row(gains([facts(ROWS), facts(second)], baselines=BASELINES), "gray-box")
    assert (found["n"], found["seeds"]) == (3, 2)
    assert found["gain"] == pytest.approx(2 / 6)
    assert found["low"] == 0.0  # both drawn seeds may be the second


def test_every_attack_and_size_has_its_rows() -> None:
    both = Facts(pl.concat([facts(ROWS).table, facts(ROWS, eps=0.1).table]))
    table = gains([both], baselines=BASELINES)
    assert table["eps"].to_list() == [0.3] * 4 + [0.1] * 4
    assert table["threat"].to_list() == [CLEAN, "gray-box", "adaptive", WORST] * 2


def test_without_baselines_there_are_no_gains() -> None:
    assert gains([], baselines={}).is_empty()


def test_gains_of_no_run_are_refused() -> None:
    with pytest.raises(ValueError, match="a gain is measured on the facts of at least one run"):
        gains([], baselines=BASELINES)


def test_models_without_a_common_example_are_refused() -> None:
    apart = facts([("many", "gray-box", "rr", "rr")]).table, facts([("one", "gray-box", "rr", "rr")]).table
    moved = Facts(pl.concat([apart[0], apart[1].with_columns(pl.col("index") + 50)]))
    with pytest.raises(ValueError, match="'many' and 'one' share no example under 'pgd'"):
        gains([moved], baselines=BASELINES)
