"""The order of threats, on facts by hand."""

import polars as pl
import pytest

from manyheads.evaluation import Duel, Facts, dense_order_checks, order_checks
from manyheads.evaluation.sanity_order import DENSE_ORDERS, ORDERS, order_name


def facts(wrong: dict[str, int], *, n: int = 40, rejected: int = 0, heads: int = 0, attack: str = "pgd") -> Facts:
    """Under each threat the first so many examples are wrong; of these so many are rejected; of those left, so many
    have a wrong hidden head."""
    parts = [
        pl.DataFrame(
            {
                "model": "m", "threat": threat, "attack": attack, "eps": 0.3, "norm": "Linf", "main": "digit",
                "index": range(n), "size": 0.3, "won": False, "loss_clean": 0.0, "loss_attacked": 0.0,
                "score_clean": 0.0, "score_attacked": 0.0, "rejected_clean": False,
                "rejected_attacked": [row < rejected and row < count for row in range(n)],
                "digit.truth": 0, "digit.clean": 0, "digit.attacked": [int(row < count) for row in range(n)],
                "parity.truth": 0, "parity.clean": 0,
                "parity.attacked": [int(row >= n - heads) if threat == "gray-box" else 0 for row in range(n)],
            }
        )
        for threat, count in wrong.items()
    ]  # fmt: skip
    return Facts(pl.concat(parts))


def outcomes(found: Facts | None) -> dict[str, str]:
    return {one.check: one.outcome for one in order_checks(found)}


def test_who_knows_more_does_more_harm() -> None:
    ordered = {"noise": 2, "transfer": 8, "gray-box": 20, "white-box": 25, "adaptive": 30}
    assert outcomes(facts(ordered)) == dict.fromkeys(ORDERS, "passed")


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [("adaptive", "gray-box"), ("white-box", "gray-box"), ("gray-box", "transfer"), ("transfer", "noise")],
)
def test_a_pair_in_the_wrong_order_is_red_alone(stronger: str, weaker: str) -> None:
    found = outcomes(facts({weaker: 25, stronger: 5}))
    assert found.pop(order_name(stronger, weaker=weaker)) == "failed"
    assert set(found.values()) == {"not applicable"}


@pytest.mark.parametrize(("lead", "outcome"), [(6, "passed"), (7, "failed")])
def test_a_small_lead_may_be_chance(lead: int, outcome: str) -> None:
    assert (Duel(more=lead, less=0, n=40).p_more < 0.01) == (outcome == "failed")
    assert (
        outcomes(facts({"gray-box": 10, "transfer": 10 + lead}))[order_name("gray-box", weaker="transfer")] == outcome
    )


def test_the_level_is_shared_out_among_attacks() -> None:
    lead, no_lead = {"gray-box": 10, "transfer": 17}, {"gray-box": 10, "transfer": 10}
    both = Facts(pl.concat([facts(lead).table, facts(no_lead, attack="cw").table]))
    name = order_name("gray-box", weaker="transfer")
    assert (outcomes(facts(lead))[name], outcomes(both)[name]) == ("failed", "passed")


def test_the_worst_attack_is_shown_with_its_figures() -> None:
    both = Facts(
        pl.concat(
            [facts({"gray-box": 9, "transfer": 3}, attack="cw").table, facts({"gray-box": 2, "transfer": 30}).table]
        )
    )
    found = next(one for one in order_checks(both) if one.check == order_name("gray-box", weaker="transfer"))
    assert found.figures == "right answers: gray-box 95 %, transfer 25 % (pgd, eps 0.3)"
    assert found.n == 40


def test_the_adaptive_attacker_is_measured_with_rejections() -> None:
    # gray-box fools more often, but is caught: only the adaptive one gets through
    found = facts({"gray-box": 30, "adaptive": 15}, rejected=0)
    caught = found.table.with_columns(
        pl.when(pl.col("threat") == "gray-box")
        .then(pl.col("digit.attacked") == 1)
        .otherwise(pl.col("rejected_attacked"))
        .alias("rejected_attacked")
    )
    name = order_name("adaptive", weaker="gray-box")
    assert (outcomes(found)[name], outcomes(Facts(caught))[name]) == ("failed", "passed")
    figures = next(one.figures for one in order_checks(Facts(caught)) if one.check == name)
    assert figures.startswith("right or rejected: adaptive 62.5 %, gray-box 100 %")


def test_the_white_box_attacker_is_measured_by_all_heads() -> None:
    name = order_name("white-box", weaker="gray-box")
    found = facts({"gray-box": 0, "white-box": 20}, heads=10)
    figures = next(one for one in order_checks(found) if one.check == name)
    assert figures.figures.startswith("right answers of all heads: white-box 75 %, gray-box 87.5 %")
    assert figures.outcome == "passed"


def test_only_common_examples_are_compared() -> None:
    table = facts({"gray-box": 5, "transfer": 5}).table
    fewer = Facts(table.filter((pl.col("threat") == "transfer") | (pl.col("index") < 12)))
    found = next(one for one in order_checks(fewer) if one.check == order_name("gray-box", weaker="transfer"))
    assert found.n == 12


def test_nothing_is_compared_where_one_of_a_pair_was_not_run() -> None:
    assert outcomes(None) == dict.fromkeys(ORDERS, "not applicable")
    found = order_checks(facts({"noise": 3}))
    assert {one.figures for one in found if "noise" in one.check} == {"no attack was run by both, transfer and noise"}


def dense_facts(losses: dict[str, tuple[float, float]], *, n: int = 20) -> Facts:
    """Under each threat every frame has these losses of depth, the main task, and of ground."""
    parts = [
        pl.DataFrame(
            {
                "model": "m", "threat": threat, "attack": "pgd", "eps": 0.3, "norm": "Linf", "main": "depth",
                "index": range(n), "size": 0.3, "won": None, "loss_clean": 0.0, "loss_attacked": 0.0,
                "score_clean": None, "score_attacked": None, "rejected_clean": False, "rejected_attacked": False,
                "depth.attacked_loss": [None] * 2 + [depth] * (n - 2), "ground.attacked_loss": ground,
            }
        )
        for threat, (depth, ground) in losses.items()
    ]  # fmt: skip
    return Facts(pl.concat(parts))


@pytest.mark.parametrize(
    ("single", "multi", "expected"),
    [
        ((2.0, 1.0), (1.0, 3.0), ["passed", "passed"]),
        ((1.0, 1.0), (2.0, 3.0), ["failed", "passed"]),
        ((2.0, 4.0), (1.0, 3.0), ["passed", "failed"]),
    ],
)
def test_each_attacker_of_dense_models_is_best_at_what_it_wants(single, multi, expected: list[str]) -> None:
    found = dense_order_checks(dense_facts({"single-task": single, "multi-task": multi}))
    assert [one.check for one in found] == list(DENSE_ORDERS)
    assert [one.outcome for one in found] == expected
    assert [one.n for one in found] == [18, 20]  # the depth of two frames is unknown
    assert found[0].figures == f"mean loss: {single[0]:.3g}, the other's {multi[0]:.3g} (pgd, eps 0.3)"


@pytest.mark.parametrize("found", [None, dense_facts({"single-task": (1.0, 1.0)})])
def test_one_attacker_of_a_dense_model_alone_is_compared_with_nobody(found: Facts | None) -> None:
    assert {one.outcome for one in dense_order_checks(found)} == {"not applicable"}
