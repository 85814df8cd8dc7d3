"""A run from data to scores: what it leaves behind, and that it goes on where it was stopped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from manyheads.data import DataError
from manyheads.evaluation import scores
from manyheads.experiments import Bars, Data, Experiment, Hardening, Outcome, Training, run
from manyheads.training import Adam

Make = Callable[..., Experiment]
ATTACKED = (
    "adaptive--cw--inf",
    "adaptive--pgd-untargeted--0.05",
    "adaptive--pgd-untargeted--0.1",
    "gray-box--cw--inf",
    "gray-box--pgd-untargeted--0.05",
    "gray-box--pgd-untargeted--0.1",
    "white-box--cw--inf",
    "white-box--pgd-untargeted--0.1",
)


def times(folder: Path) -> dict[str, int]:
    """When each file was last written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_run_leaves_all_its_files(outcome: Outcome) -> None:
    found = sorted(times(outcome.files.folder))
    assert found == sorted(
        [
            "experiment.json",
            "guard.json",
            "history.parquet",
            "scores.parquet",
            *(f"facts/{name}.parquet" for name in ATTACKED),
            *(f"gallery/{name}.safetensors" for name in ATTACKED),
            *(f"weights/{name}" for name in ("best_robust.safetensors", "last.safetensors", "resume.pt")),
        ]
    )


def test_facts_are_those_of_every_trial_and_attacker(outcome: Outcome) -> None:
    counted = outcome.facts.table.group_by("attack", "threat", "eps", "norm").len().rows()
    assert sorted(counted) == sorted(
        [("pgd untargeted", threat, 0.1, "Linf", 12) for threat in ("gray-box", "white-box", "adaptive")]
        + [("cw", threat, float("inf"), "L2", 4) for threat in ("gray-box", "white-box", "adaptive")]
        + [("pgd untargeted", threat, 0.05, "Linf", 6) for threat in ("gray-box", "adaptive")]
    )
    assert set(outcome.facts.table["model"]) == {"tiny"}
    assert set(outcome.facts.table["main"]) == {"digit"}


def test_each_file_of_facts_holds_what_its_name_says(outcome: Outcome) -> None:
    for name in ATTACKED:
        table = pl.read_parquet(outcome.files.facts / f"{name}.parquet")
        threat, attack, eps = name.split("--")
        found = table.select("threat", pl.col("attack").str.replace_all(" ", "-"), "eps").unique().rows()
        assert [(row[0], row[1], f"{row[2]:.4g}") for row in found] == [(threat, attack, eps)]


def test_scores_are_those_of_the_facts(outcome: Outcome) -> None:
    assert outcome.scores.equals(scores(outcome.facts))
    assert pl.read_parquet(outcome.files.scores).equals(outcome.scores)


def test_a_finished_run_is_left_as_it_is(outcome: Outcome, quiet: Bars) -> None:
    before = times(outcome.files.folder)
    again = run(replace(outcome.experiment, workers=1, batch_size=3), quiet)
    assert times(outcome.files.folder) == before
    assert again.facts.table.equals(outcome.facts.table)


def test_a_finished_run_needs_no_data(quiet: Bars, outcome: Outcome, tmp_path: Path) -> None:
    # the digits refuse a folder when they are read: here nobody reads them
    again = run(replace(outcome.experiment, data_root=tmp_path / "gone"), quiet)
    assert again.scores.equals(outcome.scores)


def test_a_stopped_run_does_only_what_is_missing(outcome: Outcome, tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    first = run(tiny(tmp_path), quiet)
    before = times(first.files.folder)
    gone = first.files.facts_of("adaptive", trial="cw", eps=float("inf"))
    gone.unlink()
    again = run(tiny(tmp_path), quiet)
    after = times(first.files.folder)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"facts/adaptive--cw--inf.parquet"}
    assert again.facts.table.equals(first.facts.table)
    assert again.scores.equals(outcome.scores)


def test_the_same_experiment_gives_the_same_facts_whatever_the_batch_size(
    outcome: Outcome, tiny: Make, quiet: Bars, tmp_path: Path
) -> None:
    again = run(tiny(tmp_path, batch_size=5), quiet)
    columns = [name for name in outcome.facts.table.columns if not name.startswith(("loss", "size", "score"))]
    assert again.facts.table[columns].equals(outcome.facts.table[columns])


def test_another_experiment_is_not_run_into_the_folder(outcome: Outcome, quiet: Bars) -> None:
    before = times(outcome.files.folder)
    with pytest.raises(ValueError, match="holds another experiment"):
        run(replace(outcome.experiment, seed=1), quiet)
    assert times(outcome.files.folder) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": Data("mnist", root=Path("nowhere"))}, "nowhere: expected"),
        ({"data": Data("digits", train_examples=100_000)}, "count must be 1 to"),
        ({"hidden": {"odd": "digits/prty"}}, "no label map is called 'digits/prty'"),
        ({"main": "no name"}, "a task's name is a Python identifier, got 'no name'"),
        ({"training": Training(optimizer=Adam(-1.0))}, "learning rate"),
        ({"training": Training(hardening=Hardening(ramp=2.0))}, "share is a share of training"),
        ({"trials": {}, "sweep": ()}, "nothing would attack 'tiny'"),
    ],
)
def test_an_experiment_that_is_refused_does_not_take_the_folder(
    tiny: Make, quiet: Bars, tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run(tiny(tmp_path, **changes), quiet)
    assert list(tmp_path.iterdir()) == []


def test_missing_data_is_an_error_of_the_data(tiny: Make, quiet: Bars, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        run(tiny(tmp_path, data=Data("mnist", root=tmp_path / "nowhere")), quiet)
