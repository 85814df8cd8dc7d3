"""What the measurement of somebody's own model says."""

import polars as pl
import pytest

from manyheads.evaluation import Facts
from manyheads.experiments import Probe
from manyheads.experiments.foreign_report import (
    WORST,
    foreign_cautions,
    foreign_findings,
    foreign_table,
)
from manyheads.reports import STANDARD_ENSEMBLE
from manyheads.tasks import LabelMap, classify, regroup

DIGIT = classify("digit", classes=("zero", "one", "two", "three"))
PARITY = regroup("parity", LabelMap(("even", "odd"), (0, 1, 0, 1)))
FINE = Probe(n=32, probabilities=False, silent=0, answers=True)


def facts(answers: dict[str, list[int]], *, clean: list[int] | None = None) -> Facts:
    """Facts of ten examples of class 0, whose second head is always right."""
    parts = []
    for attack, attacked in answers.items():
        columns = {
            "model": "m",
            "threat": "white-box",
            "attack": attack,
            "eps": 0.1,
            "norm": "Linf",
            "main": "digit",
            "index": list(range(10)),
            "size": 0.0,
            "won": None,
            "loss_clean": 0.0,
            "loss_attacked": 0.0,
            "score_clean": None,
            "score_attacked": None,
            "rejected_clean": False,
            "rejected_attacked": False,
            "digit.truth": 0,
            "digit.clean": clean or [0] * 9 + [1],
            "digit.attacked": attacked,
            "parity.truth": 0,
            "parity.clean": 0,
            "parity.attacked": 0,
        }
        parts.append(pl.DataFrame(columns))
    return Facts(pl.concat(parts))


TWO = {"pgd": [0] * 5 + [1] * 5, "square": [1] * 2 + [0] * 8}


def test_the_table_shows_every_attack_and_the_worst_of_all() -> None:
    table = foreign_table(facts(TWO), tasks=[DIGIT, PARITY], challenge="L∞ 0.1")
    values = {row.labels: [cell.value for cell in row.cells] for row in table.rows}
    assert values == {
        ("clean", ""): [0.9, 1.0],
        ("pgd", "white-box"): [0.5, 1.0],
        ("square", "white-box"): [0.8, 1.0],
        (WORST, ""): [0.3, 1.0],
    }
    assert [column.name for column in table.columns] == ["digit", "parity"]
    assert {cell.n for row in table.rows for cell in row.cells} == {10}
    assert all(cell.interval for row in table.rows for cell in row.cells)
    assert "attacks within L∞ 0.1" in table.note


def test_one_attack_alone_is_the_worst_without_saying_so() -> None:
    table = foreign_table(facts({"pgd": [0] * 10}), tasks=[DIGIT], challenge="L∞ 0.1")
    assert [row.labels[0] for row in table.rows] == ["clean", "pgd"]


def test_the_finding_is_the_worst_case_and_says_what_was_run() -> None:
    (finding,) = foreign_findings(facts(TWO), model="mine", main=DIGIT, challenge="L∞ 0.1")
    assert finding.text == (
        "Of 10 images it classifies 90.0 % rightly (59.6–98.2). Within L∞ 0.1 the worst of pgd, square leaves 30.0 % "
        "right (10.8–60.3). That is an upper bound: the standard ensemble was not run."
    )
    assert [(name, cell.value) for name, cell in finding.bars] == [("clean", 0.9), ("white-box", 0.3)]


def titles(found: Probe, **changes) -> list[str]:
    listed = foreign_cautions(facts(**changes), found, model="mine", main=DIGIT)
    assert all(list(caution.items) == ["mine"] for caution in listed)
    return [caution.title for caution in listed]


def test_a_fine_model_under_the_ensemble_needs_no_caution() -> None:
    assert titles(FINE, answers={STANDARD_ENSEMBLE: [0] * 10}) == []


@pytest.mark.parametrize(
    ("found", "changes", "title"),
    [
        (FINE, {"answers": TWO}, "The standard ensemble was not run"),
        (
            FINE,
            {"answers": {STANDARD_ENSEMBLE: [0] * 10}, "clean": [0] * 3 + [1] * 7},
            "No better than chance on clean images",
        ),
        (
            Probe(n=32, probabilities=True, silent=0, answers=True),
            {"answers": {STANDARD_ENSEMBLE: [0] * 10}},
            "The answers look like probabilities",
        ),
        (
            Probe(n=32, probabilities=False, silent=3, answers=True),
            {"answers": {STANDARD_ENSEMBLE: [0] * 10}},
            "Images without a gradient",
        ),
        (
            Probe(n=32, probabilities=False, silent=None, answers=False),
            {"answers": {STANDARD_ENSEMBLE: [0] * 10}},
            "The same image, another answer",
        ),
    ],
)
def test_what_a_reader_must_not_overlook_is_said(found: Probe, changes, title: str) -> None:
    assert titles(found, **changes) == [title]


def test_a_caution_of_chance_names_the_classes() -> None:
    measured = facts({STANDARD_ENSEMBLE: [0] * 10}, clean=[1] * 10)
    (caution,) = foreign_cautions(measured, FINE, model="mine", main=DIGIT)
    (item,) = caution.items["mine"]
    assert item == "0.0 % of 10 clean images right, 27.8 % at most; the classes are zero, one, two ..."
