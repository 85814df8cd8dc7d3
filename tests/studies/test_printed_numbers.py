"""The paper's numbers, typed in once more from the page."""

from collections import Counter

import pytest

from manyheads.studies.printed_numbers import hyun2024, read

KEYS = ("dataset", "combination", "training", "evaluation")
MAIN = [
    ("mnist", "main", "plain", "clean", 99.30),
    ("mnist", "main", "plain", "pgd targeted", 0.14),
    ("mnist", "main", "hardened", "pgd untargeted", 93.88),
    ("mnist", "main+first", "hardened", "cw", 82.96),
    ("mnist", "main+second", "plain", "pgd targeted", 1.07),
    ("mnist", "main+first+second", "hardened", "pgd untargeted", 95.13),
    ("svhn", "main", "plain", "pgd untargeted", 0.64),
    ("svhn", "main", "hardened", "pgd targeted", 70.18),
    ("svhn", "main+second", "plain", "cw", 4.00),
    ("gtsrb", "main", "hardened", "clean", 85.65),
    ("gtsrb", "main+second", "hardened", "pgd targeted", 75.12),
    ("cifar10", "main", "hardened", "pgd untargeted", 44.32),
    ("cifar10", "main+second", "hardened", "cw", 40.68),
    ("tiny_imagenet", "main+first", "plain", "clean", 44.01),
    ("tiny_imagenet", "main+first+second", "plain", "pgd targeted", 0.82),
]
HIDDEN = [
    ("mnist", "main+first", "plain", "clean", 99.59),
    ("mnist", "main+first+second", "plain", "pgd targeted", 20.78),
    ("svhn", "main+second", "plain", "pgd untargeted", 76.13),
    ("gtsrb", "main+first", "plain", "cw", 92.38),
    ("gtsrb", "main+first+second", "hardened", "clean", 98.03),
    ("cifar10", "main+second", "hardened", "pgd targeted", 57.02),
    ("tiny_imagenet", "main+first", "hardened", "pgd untargeted", 63.94),
    ("tiny_imagenet", "main+first+second", "hardened", "cw", 62.49),
]


@pytest.mark.parametrize(("data", "combination", "training", "attack", "percent"), MAIN)
def test_main_accuracies_are_those_of_table_2(
    data: str, combination: str, training: str, attack: str, percent: float
) -> None:
    printed = hyun2024(data, hidden=("first", "second")).main
    assert printed[combination, training, attack] == pytest.approx(percent / 100)


@pytest.mark.parametrize(("data", "combination", "training", "attack", "percent"), HIDDEN)
def test_hidden_accuracies_are_those_of_table_3(
    data: str, combination: str, training: str, attack: str, percent: float
) -> None:
    printed = hyun2024(data, hidden=("first", "second")).hidden
    assert printed[combination, training, attack] == pytest.approx(percent / 100)


@pytest.mark.parametrize(("table", "rows"), [("hyun2024_table2", 160), ("hyun2024_table3", 120)])
def test_every_cell_stands_in_its_table_once(table: str, rows: int) -> None:
    found = read(table)
    assert found.columns == [*KEYS, "percent", "note"]
    assert found.height == rows == found.unique(KEYS).height
    assert set(Counter(found["dataset"]).values()) == {rows // 5}
    assert found["percent"].drop_nulls().is_between(0, 100).all()


def test_the_row_with_a_lost_number_is_not_made_up() -> None:
    printed = hyun2024("svhn", hidden=("parity", "prime")).main
    row = {key[2]: value for key, value in printed.items() if key[:2] == ("main+parity", "hardened")}
    assert row == pytest.approx({"pgd targeted": 0.6999, "pgd untargeted": 0.5426, "cw": 0.5614})
    assert len(printed) == 31
    assert read("hyun2024_table2")["percent"].null_count() == 1


@pytest.mark.parametrize("data", ["digits", "office31", ""])
def test_data_that_the_paper_has_not_has_no_numbers(data: str) -> None:
    printed = hyun2024(data, hidden=("parity",))
    assert (printed.main, printed.hidden) == ({}, {})
