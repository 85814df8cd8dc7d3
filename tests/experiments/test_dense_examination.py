"""The checks of a dense run: what they leave behind, and when they are not run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from manyheads.attacks import FGSM, PGD
from manyheads.evaluation import DENSE_CHECKS, unchecked
from manyheads.experiments import Bars, DenseExperiment, DenseTrial, Outcome, RunFiles, conclude, run
from manyheads.experiments.dense_examination import examine_dense
from manyheads.experiments.dense_stages import open_dense_workshop
from manyheads.reports import Checklist
from manyheads.threats import L2, Linf

Make = Callable[..., DenseExperiment]


@pytest.fixture(scope="module")
def checked(tiny_dense: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A finished run with checks, to be left as it is."""
    few = {"sanity_examples": 3, "vulnerability": None, "sweep": (), "sweep_trials": ()}
    return run(tiny_dense(tmp_path_factory.mktemp("checked"), **few), quiet)


def test_checks_and_surface_lie_beside_the_facts(checked: Outcome) -> None:
    checks, surface = pl.read_parquet(checked.files.sanity), pl.read_parquet(checked.files.surface)
    assert checks["check"].to_list() == list(DENSE_CHECKS)
    assert surface["index"].n_unique() == 3
    figures = dict(checks.select("check", "figures").rows())
    assert "Square " in figures[next(name for name in DENSE_CHECKS if "query" in name)]
    assert "(pgd two, eps 0.01569)" in figures["single-task raises the main task's loss most"]


def test_a_checked_run_shows_them_in_the_terminal_and_on_its_page(checked: Outcome) -> None:
    (listed,) = [part for part in conclude(checked) if isinstance(part, Checklist)]
    assert tuple(listed.rows) == DENSE_CHECKS
    page = checked.files.report.read_text(encoding="utf-8")
    assert "Can these numbers be believed?" in page
    assert "the loss rises beyond a grey image" in page


def test_a_checked_run_is_left_as_it_is(checked: Outcome, quiet: Bars) -> None:
    before = {path: path.stat().st_mtime_ns for path in checked.files.folder.rglob("*.parquet")}
    run(checked.experiment, quiet)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_finished_run_without_checks_gets_them_and_nothing_else(
    checked: Outcome, quiet: Bars, tmp_path: Path
) -> None:
    files = RunFiles(checked.files.folder.rename(tmp_path / "tiny"))
    files.sanity.unlink()
    before = {path: path.stat().st_mtime_ns for path in files.facts.iterdir()}
    run(replace(checked.experiment, folder=tmp_path), quiet)
    assert files.sanity.exists()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    files.folder.rename(checked.files.folder)


def test_nobody_checks_where_nobody_wants_it(dense_outcome: Outcome) -> None:
    assert not dense_outcome.files.sanity.exists()
    assert not [part for part in conclude(dense_outcome) if isinstance(part, Checklist)]


def test_the_swept_trial_decides_the_budget(tiny_dense: Make, quiet: Bars, tmp_path: Path) -> None:
    shop = open_dense_workshop(tiny_dense(tmp_path, sanity_examples=1), RunFiles(tmp_path))
    trials = {"far": DenseTrial(FGSM(), Linf(0.2)), "near": DenseTrial(PGD(2, 0.01), Linf(0.02))}
    wanted = replace(shop.experiment, trials=trials, sweep_trials=("near",), sweep=(0.01,))
    shop = replace(shop, experiment=wanted)
    examine_dense(shop, shop.model, quiet, facts=None)
    checks = dict(pl.read_parquet(tmp_path / "sanity.parquet").select("check", "figures").rows())
    assert " at 0.02, " in checks["the loss rises beyond a grey image's as eps grows"]


def test_without_an_attack_of_limited_size_nothing_can_be_checked(
    tiny_dense: Make, quiet: Bars, tmp_path: Path
) -> None:
    trials = {"free": DenseTrial(PGD(2, 0.1, random_start=False), L2(float("inf")))}
    one = tiny_dense(tmp_path, trials=trials, sweep=(), sweep_trials=(), sanity_examples=2)
    shop = open_dense_workshop(one, RunFiles(tmp_path))
    examine_dense(shop, shop.model, quiet, facts=None)
    expected = unchecked("no attack of limited size was tried", checks=DENSE_CHECKS)
    assert pl.read_parquet(tmp_path / "sanity.parquet").equals(expected)


def test_a_negative_count_of_frames_is_refused(tiny_dense: Make) -> None:
    with pytest.raises(ValueError, match="sanity_examples is a count, 0 for no checks, got -1"):
        tiny_dense(Path("runs"), sanity_examples=-1)
