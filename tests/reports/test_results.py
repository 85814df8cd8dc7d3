from math import inf

import polars as pl
import pytest

from manyheads.evaluation import Facts
from manyheads.evaluation import scores as scores_of
from manyheads.reports import ADAPTIVE, GRAY, HEADLINE, WHITE, Cell, Challenge, Results
from manyheads.reports.results import budget_label, eps_label


@pytest.mark.parametrize(
    ("eps", "text"),
    [(8 / 255, "8/255"), (1 / 255, "1/255"), (0.3, "0.3"), (0.2, "0.2"), (0.0123, "0.0123"), (0.0, "0"), (1.0, "1")],
)
def test_sizes_are_written_in_255ths_where_that_is_exact(eps, text):
    assert eps_label(eps) == text


def test_a_budget_without_limit_says_so():
    assert budget_label(norm="L2", eps=inf) == "L2 unbounded"


def test_a_challenge_names_its_budget():
    assert Challenge(attack="pgd", norm="Linf", eps=4 / 255).label == "pgd (L∞ 4/255)"


def test_orders_are_those_of_the_frames(results):
    assert results.trainings == ("plain", "hardened")
    assert results.combinations == ("main", "main+parity", "main+prime", "main+parity+prime")
    assert [one.attack for one in results.challenges] == ["pgd targeted", "pgd untargeted", "cw untargeted"]


def test_the_three_threats_stand_even_where_one_was_not_measured(scores, models):
    some = Results(scores.filter(pl.col("threat") == GRAY), models)
    assert some.threats == (GRAY, WHITE, ADAPTIVE)


def test_the_main_task_comes_first_and_hidden_ones_follow(results):
    assert results.tasks("main+parity+prime plain") == ("digit", "parity", "prime")
    assert results.tasks("main plain") == ("digit",)
    assert results.tasks(None) == ()


def test_the_baseline_is_the_model_of_the_same_training_without_hidden_tasks(results):
    assert (results.baseline("plain"), results.baseline("hardened")) == ("main plain", "main hardened")


def test_there_is_no_baseline_where_every_model_has_hidden_tasks(scores, models):
    left = models.filter(pl.col("combination") != "main")
    results = Results(scores.filter(pl.col("model").is_in(left["model"].implode())), left)
    assert results.baseline("plain") is None


def test_a_model_is_found_by_combination_and_training(results):
    assert results.model("main+parity", training="hardened") == "main+parity hardened"
    assert results.model("main+parity", training="distilled") is None


def test_the_lowest_score_is_that_of_the_worst_threat(results):
    challenge, model = results.challenges[0], "main+parity hardened"
    shown = {
        threat: results.attacked(model, challenge=challenge, threat=threat, score="accuracy").value
        for threat in results.threats
    }
    assert shown == {GRAY: 295 / 360, WHITE: 285 / 360, ADAPTIVE: 281 / 360}
    assert results.lowest(model, challenge=challenge, score="accuracy").value == 281 / 360
    assert results.lowest(model, challenge=challenge, score="accuracy", threats=(GRAY, WHITE)).value == 285 / 360


def test_what_was_not_measured_is_an_empty_cell(results):
    challenge = Challenge(attack="square", norm="Linf", eps=0.1)
    assert results.attacked("main plain", challenge=challenge, threat=GRAY, score=HEADLINE) == Cell()
    assert results.lowest("main plain", challenge=challenge) == Cell()
    assert results.clean(None, score=HEADLINE) == Cell()


def test_clean_numbers_come_from_the_evaluation_with_most_images(scores, models):
    few = (pl.col("threat") == GRAY) & (pl.col("condition") == "clean")
    changed = scores.with_columns(
        n=pl.when(few).then(10).otherwise("n"), value=pl.when(few).then(0.1).otherwise("value")
    )
    assert Results(changed, models).clean("main plain", score="accuracy").n == 360


def test_a_missing_column_is_named(scores, models):
    with pytest.raises(ValueError, match="the frame scores lacks the columns eps, n"):
        Results(scores.drop("eps", "n"), models)


def test_a_model_without_combination_is_named(scores, models):
    with pytest.raises(ValueError, match="no combination and training: main plain"):
        Results(scores, models.filter(pl.col("model") != "main plain"))


def test_two_models_in_one_cell_are_refused(scores, models):
    twin = pl.DataFrame({"model": ["twin"], "combination": ["main"], "training": ["plain"]})
    with pytest.raises(ValueError, match="two rows share combination, training"):
        Results(scores, pl.concat([models, twin]))


def test_a_score_that_stands_twice_is_refused(scores, models):
    with pytest.raises(ValueError, match="two rows share model, threat, attack"):
        Results(pl.concat([scores, scores.head(1)]), models)


def test_scores_that_do_not_tell_the_main_task_are_refused(scores, models):
    results = Results(scores.filter(score="accuracy"), models.head(8))
    with pytest.raises(ValueError, match="do not tell its main task: found digit, parity"):
        results.tasks("main+parity plain")


def test_scores_made_by_the_evaluation_can_be_read():
    facts = pl.DataFrame(
        {
            "model": "m", "threat": GRAY, "attack": "pgd", "eps": 0.1, "norm": "Linf", "main": "digit",
            "index": range(4), "size": 0.1, "won": True, "loss_clean": 0.0, "loss_attacked": 1.0,
            "score_clean": 0.0, "score_attacked": 0.0,
            "rejected_clean": False, "rejected_attacked": [True, True, False, False],
            "digit.truth": [0, 1, 2, 3], "digit.clean": [0, 1, 2, 0], "digit.attacked": [0, 0, 2, 0],
            "parity.truth": [0, 1, 0, 1], "parity.clean": [0, 1, 0, 1], "parity.attacked": [1, 1, 1, 1],
        }
    )  # fmt: skip
    models = pl.DataFrame({"model": ["m"], "combination": ["main+parity"], "training": ["plain"]})
    results = Results(scores_of(Facts(facts)), models)
    challenge = results.challenges[0]
    assert results.clean("m", score="accuracy").value == 0.75
    assert results.attacked("m", challenge=challenge, threat=GRAY, score=HEADLINE).value == 0.75
    assert results.attacked("m", challenge=challenge, threat=GRAY, score="accepted_accuracy").n == 2
    assert results.attacked("m", challenge=challenge, threat=GRAY, score="accuracy", task="parity").value == 0.5


def with_noise(scores):
    """The scores with noise measured under one attack alone."""
    noisy = scores.filter(threat=GRAY, attack="pgd untargeted").with_columns(pl.lit("noise").alias("threat"))
    return pl.concat([scores, noisy])


def test_threats_stand_in_the_order_of_what_they_know(scores, models):
    other = scores.filter(threat=GRAY, attack="pgd targeted").with_columns(pl.lit("mine").alias("threat"))
    found = Results(pl.concat([other, with_noise(scores)]), models).threats
    assert found == ("noise", GRAY, WHITE, ADAPTIVE, "mine")


def test_a_blind_threat_stands_only_where_it_was_measured(scores, models):
    results = Results(with_noise(scores), models)
    found = {one.attack: results.threats_of(one) for one in results.challenges}
    assert found["pgd untargeted"] == ("noise", GRAY, WHITE, ADAPTIVE)
    assert found["pgd targeted"] == found["cw untargeted"] == (GRAY, WHITE, ADAPTIVE)


def test_the_adaptive_threat_stands_where_it_was_not_measured(scores, models):
    results = Results(scores.filter(threat=GRAY), models)
    assert results.threats_of(results.challenges[0]) == (GRAY, WHITE, ADAPTIVE)


def test_scores_of_several_heads_do_not_hide_the_main_one(scores, models):
    joint = scores.filter(score="rejection_rate").with_columns(
        pl.lit("any_fooled").alias("score"), pl.lit("digit+parity").alias("task")
    )
    assert Results(pl.concat([scores, joint]), models).tasks("main+parity plain") == ("digit", "parity")
