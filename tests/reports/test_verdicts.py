import polars as pl
import pytest

from manyheads.reports import ADAPTIVE, GRAY, WHITE, Results, cautions, findings, richest

ATTACKED = pl.col("condition") == "attacked"
SHARES = ("value", "low", "high")


def raised(scores, threat, *, to):
    """The scores with every number of one threat under attack set to one value, give or take a hundredth."""
    mask = ATTACKED & (pl.col("threat") == threat)
    numbers = zip(SHARES, (to, to - 0.01, to + 0.01), strict=True)
    return scores.with_columns(pl.when(mask).then(number).otherwise(name).alias(name) for name, number in numbers)


def titles(results):
    return [caution.title for caution in cautions(results)]


def test_each_training_speaks_of_its_model_with_most_hidden_tasks(results):
    assert [finding.title for finding in findings(results)] == ["main+parity+prime plain", "main+parity+prime hardened"]


def test_a_finding_says_the_numbers_of_the_strongest_limited_attack(results):
    text = findings(results)[1].text
    assert "Under pgd untargeted (L∞ 8/255)" in text
    # gray-box: 298 right and 62 of the 80 rejected ones wrong; adaptive 270; without hidden tasks 268
    assert "leaves 100\u00a0% (98.9–100, n\u00a0=\u00a0360) of images right or rejected" in text
    assert "brings it to 75.0\u00a0% (70.3–79.2, n\u00a0=\u00a0360)" in text
    assert "the same training keeps 74.4\u00a0%" in text


def test_a_finding_draws_clean_and_all_threats(results):
    bars = findings(results)[1].bars
    assert [(name, cell.text) for name, cell in bars] == [
        ("clean", "96.4"),
        ("gray-box", "100"),
        ("white-box", "86.1"),
        ("adaptive", "75.0"),
    ]


def test_an_unlimited_attack_speaks_where_there_is_no_other(scores, models):
    results = Results(scores.filter(attack="cw untargeted"), models)
    assert "Under cw untargeted (L2 unbounded)" in findings(results)[0].text


def test_a_finding_without_adaptive_numbers_says_so(scores, models):
    results = Results(scores.filter(pl.col("threat") != ADAPTIVE), models)
    assert "was not measured" in findings(results)[0].text


def test_a_model_without_hidden_tasks_is_not_compared_with_itself(scores, models):
    left = models.filter(combination="main")
    results = Results(scores.filter(pl.col("model").is_in(left["model"].implode())), left)
    assert "It has no hidden tasks. pgd untargeted (L∞ 8/255) leaves 74.4" in findings(results)[1].text
    assert cautions(results) == ()


def test_a_gain_that_vanishes_is_listed_with_its_numbers(results):
    caution = cautions(results)[0]
    assert "vanish" in caution.title
    assert "pgd targeted (L∞ 8/255): 93.1 → 78.1\u00a0% (without: 77.8\u00a0%)" in caution.items["main+parity hardened"]


def test_models_without_hidden_tasks_have_nothing_to_vanish(results):
    assert not any(model.startswith("main ") for caution in cautions(results) for model in caution.items)


def test_a_gain_that_holds_is_no_caution(scores, models):
    both = raised(raised(raised(scores, GRAY, to=0.5), ADAPTIVE, to=0.5), WHITE, to=0.5)
    base = ATTACKED & pl.col("model").str.starts_with("main ")
    numbers = zip(SHARES, (0.1, 0.09, 0.11), strict=True)
    held = both.with_columns(pl.when(base).then(number).otherwise(name).alias(name) for name, number in numbers)
    assert titles(Results(held, models)) == []


def test_a_fall_without_a_baseline_is_listed(scores, models):
    left = models.filter(pl.col("combination") != "main")
    results = Results(scores.filter(pl.col("model").is_in(left["model"].implode())), left)
    assert titles(results) == ["Gray-box numbers that an attacker who knows more brings down"]


def test_the_stronger_of_white_box_and_adaptive_counts(scores, models):
    results = Results(raised(scores, WHITE, to=0.02), models)
    assert all("→ 2.0" in line for line in cautions(results)[0].items["main+parity hardened"])


def test_missing_adaptive_numbers_are_listed(scores, models):
    results = Results(scores.filter(threat=GRAY), models)
    assert titles(results) == ["Gray-box numbers without an adaptive attack"]


def test_an_adaptive_attack_weaker_than_gray_box_is_listed(scores, models):
    results = Results(raised(raised(scores, ADAPTIVE, to=0.9), GRAY, to=0.2), models)
    assert "Adaptive attacks that did worse than gray-box ones" in titles(results)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_extreme_numbers_can_be_worded(share, scores, models):
    numbers = scores.with_columns(pl.lit(share).alias("value"))
    assert f"{100 * share:.0f}\u00a0%" in findings(Results(numbers, models))[0].text


def test_who_knows_nothing_is_no_informed_attacker(scores, models, results):
    many = scores.filter(~pl.col("model").str.starts_with("main "), threat=GRAY, attack="pgd untargeted")
    noise = many.with_columns(pl.lit("noise").alias("threat"))
    silent = Results(raised(pl.concat([scores, noise]), "noise", to=0.02), models)
    assert titles(silent) == titles(results)
    assert "brings it to 75.0" in findings(silent)[1].text
    assert findings(silent)[1].bars[1][0] == "noise"


def test_the_richest_model_is_the_first_with_most_tasks(results):
    assert richest(results, "plain") == "main+parity+prime plain"
    assert richest(results, "none such") is None
