"""Fact sheets: honest numbers in RobustBench's form."""

import json

import polars as pl
import pytest

from manyheads.evaluation import Facts
from manyheads.reports import STANDARD_ENSEMBLE, Publication, fact_sheet, to_fact_json

MINE = Publication(name="Mine", dataset="cifar10", architecture="ResNet-18")
FIELDS = [
    "link",
    "name",
    "authors",
    "additional_data",
    "number_forward_passes",
    "dataset",
    "venue",
    "architecture",
    "eps",
    "clean_acc",
    "reported",
    "autoattack_acc",
    "footnote",
    "unreliable",
]


def facts(answers: dict[str, list[int]], **changes: object) -> Facts:
    """Facts of four examples of class 0; the last is wrong before any attack."""
    parts = []
    for attack, attacked in answers.items():
        columns = {
            "model": "m",
            "threat": "white-box",
            "attack": attack,
            "eps": 8 / 255,
            "norm": "Linf",
            "main": "label",
            "index": [7, 3, 5, 9],
            "size": 0.0,
            "won": None,
            "loss_clean": 0.0,
            "loss_attacked": 0.0,
            "score_clean": None,
            "score_attacked": None,
            "rejected_clean": False,
            "rejected_attacked": False,
            "label.truth": [0, 0, 0, 0],
            "label.clean": [0, 0, 0, 1],
            "label.attacked": attacked,
        }
        parts.append(pl.DataFrame(columns | changes))
    return Facts(pl.concat(parts))


def test_a_sheet_has_robustbenchs_fields_as_text_in_percent() -> None:
    mine = Publication(
        name="Mine",
        dataset="cifar10",
        architecture="ResNet-18",
        link="https://example.org",
        authors="A. Uthor",
        venue="Somewhere 2026",
        additional_data=True,
        number_forward_passes=2,
        reported=0.51,
        footnote="Small.",
    )
    sheet = fact_sheet(facts({STANDARD_ENSEMBLE: [0, 1, 1, 1], "pgd": [0, 0, 1, 1]}), mine)
    assert list(sheet) == FIELDS
    assert sheet | {"footnote": ""} == {
        "link": "https://example.org",
        "name": "Mine",
        "authors": "A. Uthor",
        "additional_data": True,
        "number_forward_passes": 2,
        "dataset": "cifar10",
        "venue": "Somewhere 2026",
        "architecture": "ResNet-18",
        "eps": "8/255",
        "clean_acc": "75.00",
        "reported": "51.00",
        "autoattack_acc": "25.00",
        "footnote": "",
        "unreliable": False,
    }


def test_the_footnote_says_what_was_run_on_how_many() -> None:
    sheet = fact_sheet(facts({STANDARD_ENSEMBLE: [0, 1, 1, 1], "pgd": [0, 0, 1, 1]}), MINE)
    assert sheet["footnote"] == (
        "Measured with the attacks of manyheads within L∞ 8/255, on 4 examples; robust accuracy in percent, with 95 % "
        "intervals: standard ensemble 25.00 (4.6–69.9), pgd 50.00 (15.0–85.0)."
    )


def test_without_the_standard_ensemble_there_is_no_autoattack_number() -> None:
    sheet = fact_sheet(facts({"pgd": [0, 0, 1, 1], "apgd": [1, 1, 1, 1]}), MINE)
    assert "autoattack_acc" not in sheet
    assert "reported" not in sheet
    assert sheet["footnote"].startswith("The standard ensemble was not run, so there is no autoattack_acc. Measured")
    assert sheet["unreliable"] is False


def test_another_attacks_number_is_refused() -> None:
    with pytest.raises(ValueError, match="under the standard ensemble and under nothing else, got 'pgd'"):
        fact_sheet(facts({"pgd": [0, 0, 1, 1]}), MINE, attack="pgd")


def test_an_ensemble_that_another_attack_beats_is_called_unreliable() -> None:
    sheet = fact_sheet(facts({STANDARD_ENSEMBLE: [0, 0, 1, 1], "square": [1, 1, 1, 1]}), MINE)
    assert sheet["unreliable"] is True
    assert sheet["footnote"].endswith("was not the strongest attack: square breaks 2 of its survivors.")


def test_the_worst_threat_of_an_attack_counts() -> None:
    gray = facts({STANDARD_ENSEMBLE: [0, 0, 1, 1]}, threat="gray-box")
    white = facts({STANDARD_ENSEMBLE: [0, 1, 0, 1]}, threat="white-box")
    sheet = fact_sheet(Facts(pl.concat([gray.table, white.table])), MINE)
    assert sheet["autoattack_acc"] == "25.00"


def test_examples_without_a_class_do_not_count() -> None:
    some = facts({"pgd": [0, 0, 1, 1]}, **{"label.truth": [0, 0, None, None]})
    sheet = fact_sheet(some, MINE)
    assert sheet["clean_acc"] == "100.00"
    assert "on 2 examples" in sheet["footnote"]


@pytest.mark.parametrize(
    ("column", "values"),
    [("model", ["m", "n"]), ("eps", [0.1, 0.2]), ("norm", ["L2", "Linf"]), ("main", ["a", "label"])],
)
def test_facts_of_several_models_or_budgets_are_refused(column: str, values: list[object]) -> None:
    first, second = (facts({"pgd": [0, 0, 1, 1]}, **{column: value}) for value in values)
    with pytest.raises(ValueError, match=f"the facts hold {column}: {values[0]}, {values[1]}; filter them first"):
        fact_sheet(Facts(pl.concat([first.table, second.table])), MINE)


def test_attacks_on_different_examples_are_refused() -> None:
    first, second = facts({"pgd": [0, 0, 1, 1]}), facts({"fgsm": [0, 0, 1, 1]}, index=[1, 2, 3, 4])
    with pytest.raises(ValueError, match="the attacks saw different examples"):
        fact_sheet(Facts(pl.concat([first.table, second.table])), MINE)


def test_a_task_without_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="the facts hold no answers to the main task 'depth'"):
        fact_sheet(facts({"pgd": [0, 0, 1, 1]}, main="depth"), MINE)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reported": 51.0}, r"reported is a share in \[0, 1\], got 51.0; divide percent by 100"),
        ({"number_forward_passes": 0}, "at least one forward pass, got 0"),
    ],
)
def test_a_publication_that_cannot_be_is_refused(settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Publication(name="Mine", dataset="cifar10", architecture="ResNet-18", **settings)


def test_the_json_is_the_sheet() -> None:
    sheet = fact_sheet(facts({"pgd": [0, 0, 1, 1]}), MINE)
    text = to_fact_json(sheet)
    assert json.loads(text) == sheet
    assert text.startswith('{\n  "link": "",\n  "name": "Mine"')
    assert text.endswith("}\n")
