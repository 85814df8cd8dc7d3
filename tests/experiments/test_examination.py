"""The checks of a run: what they leave behind, and when they are not run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from manyheads.attacks import CW
from manyheads.evaluation import CHECKS, unchecked
from manyheads.experiments import Bars, Experiment, Outcome, RunFiles, Trial, run
from manyheads.experiments.examination import examine, is_examined
from manyheads.experiments.stages import guard, open_workshop
from manyheads.threats import L2

Make = Callable[..., Experiment]


def test_checks_and_surface_lie_beside_the_facts(examined: tuple[Outcome, Outcome]) -> None:
    for one in examined:
        checks, surface = pl.read_parquet(one.files.sanity), pl.read_parquet(one.files.surface)
        assert checks["check"].to_list() == list(CHECKS)
        assert surface["index"].n_unique() == 5
        assert checks.filter(check=CHECKS[0])["n"][0] == 5


def test_threats_are_compared_on_all_examples_of_the_trials(examined: tuple[Outcome, Outcome]) -> None:
    checks = pl.read_parquet(examined[1].files.sanity)
    compared = checks.filter(pl.col("check").str.contains("gray-box|noise"))
    assert set(compared["outcome"]) <= {"passed", "failed"}
    assert set(compared["n"]) <= {12, 4}
    assert 12 in set(compared["n"])


def test_the_query_attack_of_the_checks_is_named(examined: tuple[Outcome, Outcome]) -> None:
    checks = pl.read_parquet(examined[0].files.sanity)
    assert checks.filter(pl.col("check").str.contains("query"))["figures"][0].startswith("right: Square ")


def test_the_blind_attackers_leave_their_facts(examined: tuple[Outcome, Outcome]) -> None:
    for one in examined:
        counted = one.facts.table.filter(pl.col("threat").is_in(["noise", "transfer"]))
        assert sorted(counted.group_by("threat", "attack").len().rows()) == [
            ("noise", "pgd untargeted", 12),
            ("transfer", "pgd untargeted", 12),
        ]
        assert counted.filter(threat="noise")["parity.attacked" if one.experiment.hidden else "digit.attacked"].count()


def test_a_checked_run_is_left_as_it_is(examined: tuple[Outcome, Outcome], quiet: Bars) -> None:
    before = {path: path.stat().st_mtime_ns for path in examined[1].files.folder.rglob("*.parquet")}
    run(examined[1].experiment, quiet)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_finished_run_without_checks_gets_them_and_nothing_else(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    run(tiny(tmp_path), quiet)
    files = RunFiles(tmp_path / "tiny")
    before = {path: path.stat().st_mtime_ns for path in files.facts.iterdir()}
    text = files.experiment.read_text().replace('"sanity_examples": 0', '"sanity_examples": 3')
    files.experiment.write_text(text)
    run(tiny(tmp_path, sanity_examples=3), quiet)
    assert files.sanity.exists()
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_nobody_checks_where_nobody_wants_it(outcome: Outcome) -> None:
    assert is_examined(outcome.files, outcome.experiment)
    assert not outcome.files.sanity.exists()
    assert not is_examined(outcome.files, replace(outcome.experiment, sanity_examples=1))


def test_without_an_attack_of_limited_size_nothing_can_be_checked(
    outcome: Outcome, tiny: Make, quiet: Bars, tmp_path: Path
) -> None:
    trials = {"cw": Trial(CW(steps=1), L2(float("inf")), goal="margin")}
    shop = open_workshop(tiny(tmp_path, trials=trials, sweep=(), sanity_examples=2), RunFiles(tmp_path))
    examine(shop, guard(shop, shop.model), quiet, facts=outcome.facts)
    expected = unchecked("no attack of limited size was tried")
    assert pl.read_parquet(tmp_path / "sanity.parquet").equals(expected)
    assert not (tmp_path / "surface.parquet").exists()


def test_a_negative_count_of_examples_is_refused(tiny: Make) -> None:
    with pytest.raises(ValueError, match="sanity_examples is a count, 0 for no checks, got -1"):
        tiny(Path("runs"), sanity_examples=-1)
