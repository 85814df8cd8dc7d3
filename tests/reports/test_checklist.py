import polars as pl
import pytest

from manyheads.reports import Checklist, Mark, checklist, failed_checks


def table(*rows: tuple[str, str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["check", "outcome", "figures", "n"], orient="row")


FOUND = {
    "one": table(("slope", "passed", "0 %", 32), ("steps", "failed", "3 %", 32)),
    "two": table(("steps", "not applicable", "no attack", 0), ("noise", "passed", "1 %", 8)),
}


def test_checks_of_all_models_stand_side_by_side() -> None:
    made = checklist(FOUND)
    assert made.models == ("one", "two")
    assert made.rows == {
        "slope": (Mark("passed", "0 %", 32), None),
        "steps": (Mark("failed", "3 %", 32), Mark("not applicable", "no attack", 0)),
        "noise": (None, Mark("passed", "1 %", 8)),
    }


def test_failures_are_listed_with_their_figures() -> None:
    made = checklist(FOUND)
    assert made.failed("one") == ("steps: 3 % (n = 32)",)
    assert made.failed("two") == ()


def test_outcomes_are_counted() -> None:
    assert checklist(FOUND).counts("one") == {"passed": 1, "failed": 1, "not applicable": 0}
    assert checklist(FOUND).counts("two") == {"passed": 1, "failed": 0, "not applicable": 1}


def test_a_mark_tells_its_n_where_there_is_one() -> None:
    assert Mark("passed", "0 %", 32).told == "0 % (n = 32)"
    assert Mark("not applicable", "no attack", 0).told == "no attack"
    assert [Mark(outcome, "", 1).sign for outcome in ("passed", "failed", "not applicable")] == ["✓", "✗", "–"]


def test_no_models_are_an_empty_list() -> None:
    assert checklist({}).rows == {}


def test_another_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="a check is passed, failed, not applicable, got 'maybe'"):
        Mark("maybe", "", 1)


def test_a_table_without_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="the checks of 'one' lack the columns figures; run it again"):
        checklist({"one": FOUND["one"].drop("figures")})


def test_ragged_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="'a' needs one mark for each of 2 models, got 1"):
        Checklist(title="", models=("one", "two"), rows={"a": (None,)})


def test_failed_checks_are_the_first_thing_to_warn_of() -> None:
    table = pl.DataFrame(
        {"check": ["a", "b"], "outcome": ["failed", "passed"], "figures": ["0 of 9", "9 of 9"], "n": [9, 9]}
    )
    (caution,) = failed_checks(checklist({"mine": table}))
    assert caution.title == "Sanity checks failed"
    assert caution.items == {"mine": ("a: 0 of 9 (n = 9)",)}


@pytest.mark.parametrize(
    "tables", [{}, {"mine": pl.DataFrame({"check": ["a"], "outcome": ["passed"], "figures": [""], "n": [9]})}]
)
def test_without_a_failed_check_there_is_nothing_to_warn_of(tables: dict[str, pl.DataFrame]) -> None:
    assert failed_checks(checklist(tables)) == ()
