from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import polars as pl
import pytest

from manyheads.evaluation import WORST
from manyheads.experiments import Bars, Experiment, Finished, RunFiles, run
from manyheads.studies import grid
from manyheads.studies.honest_shown import HEADS, REJECTING, Shown

Make = Callable[[Path], Experiment]


@pytest.fixture(scope="module")
def finished(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, ...]:
    recipe = tiny(tmp_path_factory.mktemp("runs"))
    made = []
    for seed in (0, 1):
        members = grid(replace(recipe, seed=seed), study=f"seed-{seed}")
        for member in members:
            run(member, quiet)
        made.append(Finished(tuple(RunFiles(member.run) for member in members)))
    return tuple(made)


@pytest.fixture(scope="module")
def shown(finished: tuple[Finished, ...]) -> Shown:
    return Shown("Digits", finished)


def test_an_account_is_of_the_facts_of_all_seeds(shown: Shown, finished: tuple[Finished, ...]) -> None:
    row = shown.accounts[HEADS].row(
        by_predicate=(pl.col("model") == "main+parity plain") & (pl.col("threat") == "gray-box"), named=True
    )
    tables = [one.facts.table for one in finished if one.facts is not None]
    shares = {
        model: sum(
            float((part["digit.attacked"] == part["digit.truth"]).sum()) / len(part) / len(tables)
            for part in (table.filter(model=model, threat="gray-box") for table in tables)
        )
        for model in ("main plain", "main+parity plain")
    }
    assert len(tables) == row["seeds"] == 2
    assert row["kept"] == pytest.approx(shares["main+parity plain"])
    assert row["kept_baseline"] == pytest.approx(shares["main plain"])
    assert row["gain"] == pytest.approx(shares["main+parity plain"] - shares["main plain"])


def test_rejection_only_adds_to_what_is_kept_under_attack(shown: Shown) -> None:
    key = ["model", "threat"]
    both = shown.accounts[HEADS].join(shown.accounts[REJECTING], on=key, suffix="_rejecting")
    attacked, clean = both.filter(pl.col("threat") != "clean"), both.filter(threat="clean")
    assert (attacked["kept_rejecting"] >= attacked["kept"]).all()
    assert (clean["kept_rejecting"] <= clean["kept"]).all()
    assert (both["kept_rejecting"] != both["kept"]).any()


def test_the_table_has_three_kinds_of_rows_per_training(shown: Shown) -> None:
    assert [row.labels[1] for row in shown.table.rows][:5] == [
        "main plain",
        "main+parity plain: right",
        "main+parity plain: right, gain",
        "main+parity plain: right or rejected",
        "main+parity plain: right or rejected, gain",
    ]
    assert len(shown.table.rows) == 10
    assert [column.group for column in shown.table.columns] == [
        "clean", "noise", "transfer", "gray-box", "white-box", "adaptive", WORST,
    ]  # fmt: skip


def test_the_checks_are_those_of_every_seed(shown: Shown, finished: tuple[Finished, ...]) -> None:
    one = len(next(iter(finished[0].checks.values())))
    assert len(shown.checks.rows) == 2 * one
    assert all(check.endswith(("(seed 0)", "(seed 1)")) for check in shown.checks.rows)


def test_a_section_has_verdicts_and_a_figure_for_each_training(shown: Shown) -> None:
    section = shown.section()
    assert [line.partition(".")[0] for line in section.text[:2]] == ["main+parity plain", "main+parity hardened"]
    assert len(section.pictures) == 2


def test_lost_facts_are_told(shown: Shown, tmp_path: Path) -> None:
    first, second = shown.finished
    kept = RunFiles(tmp_path / "copy")
    copytree(second.runs[1].folder, kept.folder, ignore=lambda *_: {"facts"})
    gone = Finished((second.runs[0], kept, *second.runs[2:]))
    with pytest.raises(ValueError, match="facts of runs on Digits are gone"):
        _ = Shown("Digits", [first, gone]).accounts
