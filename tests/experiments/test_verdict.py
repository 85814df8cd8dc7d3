"""What finished runs say of themselves, and that older runs say it too, as far as they can."""

from pathlib import Path

import pytest

from manyheads.evaluation import CHECKS
from manyheads.experiments import Finished, Outcome, RunFiles, checked, reached, report, surfaces


@pytest.fixture(scope="module")
def finished(examined: tuple[Outcome, Outcome]) -> Finished:
    return Finished(tuple(one.files for one in examined))


def test_checks_of_all_runs_stand_side_by_side(finished: Finished) -> None:
    checks = checked(finished)
    assert checks.models == ("main hardened", "main+parity+prime hardened")
    assert tuple(checks.rows) == CHECKS


def test_the_verdict_and_the_surface_are_of_the_model_with_most_hidden_tasks(finished: Finished) -> None:
    assert [one.title for one in reached(finished)] == ["main+parity+prime hardened"]
    assert list(surfaces(finished)) == ["main+parity+prime hardened"]


def test_the_verdict_speaks_of_gains_and_checks(finished: Finished) -> None:
    (verdict,) = reached(finished)
    assert verdict.claimed.startswith("Claimed: under pgd untargeted (L∞ 0.1), gray-box, ")
    assert "n = 12, 1 seed, paired" in verdict.claimed
    assert "by the worst threat for each image" in verdict.stands
    assert verdict.checks.startswith("Sanity checks: ")


def test_the_page_begins_with_the_verdict(finished: Finished, tmp_path: Path) -> None:
    report(finished, tmp_path / "page.html", heading="Two")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.index("Claimed: under") < page.index('class="finding"') < page.index("What hidden tasks add</h2>")
    assert "Can these numbers be believed?" in page


def test_a_run_by_itself_claims_nothing(examined: tuple[Outcome, Outcome]) -> None:
    (verdict,) = reached(Finished((examined[1].files,)))
    assert verdict.claimed.startswith("No gain is claimed")
    assert verdict.stands == ""
    assert "Sanity checks: " in verdict.checks


def test_an_older_run_is_reported_without_checks(outcome: Outcome, tmp_path: Path) -> None:
    finished = Finished((RunFiles(outcome.files.folder),))
    assert checked(finished).rows == {}
    assert surfaces(finished) == {}
    assert reached(finished)[0].checks == "Sanity checks were not run."
    report(finished, tmp_path / "page.html", heading="Old")
    assert "Can these numbers be believed?" not in (tmp_path / "page.html").read_text(encoding="utf-8")
