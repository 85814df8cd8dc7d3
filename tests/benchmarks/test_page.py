"""What is measured anew replaces what stood there, and nothing else; every row says where it comes from."""

import pytest

from benchmarks.page import END, START, Origin, updated
from benchmarks.timing import Finding, Ratio

ORDER = ["first", "second", "third"]
OLD, NEW = Origin("2026-01-01 aaaaaaa", "torch 1, one thread"), Origin("2026-02-02 bbbbbbb", "torch 2, one thread")
EMPTY = f"# Figures\n\n{START}\n{END}\n\nMore.\n"


def finding(case: str, *, median: float, what: str = "x / y", holds: bool | None = None, bar: str = "") -> Finding:
    found = Ratio(median=median, low=median - 0.5, high=median + 0.5, n=4)
    return Finding(case=case, what=what, ratio=found, bar=bar, holds=holds, aside="aside")


def put(page: str, *findings: Finding, origin: Origin) -> str:
    return updated(page, findings, origin=origin, order=ORDER)


def rows(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| `")]


def test_a_row_tells_all_that_is_known_of_a_finding() -> None:
    page = put(EMPTY, finding("first", median=1.25, bar="≤ 1", holds=False), finding("second", median=2), origin=OLD)
    assert rows(page) == [
        "| `first` | x / y | 1.250 (0.750 to 1.750, n 4) | ≤ 1 | ✗ aside | 2026-01-01 aaaaaaa |",
        "| `second` | x / y | 2.000 (1.500 to 2.500, n 4) |  | aside | 2026-01-01 aaaaaaa |",
    ]
    assert "- `2026-01-01 aaaaaaa`: torch 1, one thread\n" in page
    assert page.startswith("# Figures\n\n")
    assert page.endswith(f"{END}\n\nMore.\n")


def test_rows_of_other_cases_stay_and_keep_their_place_and_origin() -> None:
    page = put(EMPTY, *(finding(case, median=1) for case in ORDER), origin=OLD)
    again = put(page, finding("second", median=3), finding("second", median=4, what="another"), origin=NEW)
    assert [(row.split("`")[1], row.split(" | ")[-1]) for row in rows(again)] == [
        ("first", "2026-01-01 aaaaaaa |"),
        ("second", "2026-02-02 bbbbbbb |"),
        ("second", "2026-02-02 bbbbbbb |"),
        ("third", "2026-01-01 aaaaaaa |"),
    ]
    assert "- `2026-01-01 aaaaaaa`: torch 1, one thread\n- `2026-02-02 bbbbbbb`: torch 2, one thread\n" in again


def test_an_origin_without_rows_is_forgotten() -> None:
    page = put(EMPTY, finding("first", median=1), origin=OLD)
    again = put(page, finding("first", median=2), origin=NEW)
    assert len(rows(again)) == 1
    assert "aaaaaaa" not in again


def test_to_put_the_same_in_again_changes_nothing() -> None:
    page = put(EMPTY, *(finding(case, median=1) for case in ORDER), origin=OLD)
    assert put(page, finding("third", median=1), origin=OLD) == page


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="the page lacks one of these lines"):
        put("# Figures\n", finding("first", median=1), origin=OLD)


def test_this_process_says_what_it_is() -> None:
    here = Origin.here()
    assert here.setting.startswith("torch ")
    assert len(here.name.split()) >= 2
