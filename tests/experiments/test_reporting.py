"""Which runs are reported together, under which names, in which order."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from manyheads.experiments import (
    Bars,
    Data,
    Experiment,
    Finished,
    Hardening,
    Outcome,
    RunFiles,
    Training,
    by_data,
    combination,
    report,
    run,
    runs_in,
    training,
)
from manyheads.experiments.reporting import _exhibits, title
from manyheads.reports import CLEAN

Make = Callable[..., Experiment]
HARDENED, PLAIN = Training(hardening=Hardening()), Training()


@pytest.fixture(scope="module")
def alone(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of the same name, without hidden tasks."""
    return run(tiny(tmp_path_factory.mktemp("alone"), hidden={}), quiet)


@pytest.fixture(scope="module")
def finished(outcome: Outcome, alone: Outcome) -> Finished:
    return Finished((alone.files, outcome.files))


def claimed(folder: Path, *, done: bool = True, **changes: object) -> RunFiles:
    """A run that is only named, and maybe finished."""
    experiment = replace(Experiment("a", data=Data("digits"), folder=folder), **changes)
    files = RunFiles(experiment.run)
    files.claim(experiment)
    (files.scores if done else files.experiment).touch()
    return files


def test_a_model_is_called_after_its_tasks_and_its_training(tiny: Make) -> None:
    one = tiny(Path("runs"))
    assert (combination(one), training(one), title(one)) == (
        "main+parity+prime",
        "hardened",
        "main+parity+prime hardened",
    )
    bare = replace(one, hidden={}, training=PLAIN)
    assert title(bare) == "main plain"


def test_scores_of_runs_of_one_name_are_told_apart(finished: Finished, alone: Outcome, outcome: Outcome) -> None:
    found = finished.everything.scores
    for one, name in ((alone, "main hardened"), (outcome, "main+parity+prime hardened")):
        theirs = found.filter(pl.col("model") == name, threat="gray-box").drop("model")
        assert theirs.equals(one.scores.filter(threat="gray-box").drop("model"))
    assert finished.everything.models.rows() == [
        ("main hardened", "main", "hardened"),
        ("main+parity+prime hardened", "main+parity+prime", "hardened"),
    ]


def test_without_hidden_heads_white_box_is_gray_box(finished: Finished) -> None:
    bare = finished.everything.scores.filter(model="main hardened")
    white, gray = (bare.filter(threat=threat).drop("threat") for threat in ("white-box", "gray-box"))
    assert len(white) > 0
    assert white.equals(gray)
    full = finished.everything.scores.filter(model="main+parity+prime hardened")
    assert not full.filter(threat="white-box").drop("threat").equals(full.filter(threat="gray-box").drop("threat"))


def test_results_are_at_the_trials_own_budgets(finished: Finished) -> None:
    assert set(finished.everything.scores["attack", "eps"].rows()) == {
        ("pgd untargeted", 0.1),
        ("cw", float("inf")),
        ("pgd untargeted", 0.05),
    }
    assert set(finished.results.scores["attack", "eps"].rows()) == {("pgd untargeted", 0.1), ("cw", float("inf"))}


def test_the_date_is_that_of_the_last_scores(outcome: Outcome, alone: Outcome, tmp_path: Path) -> None:
    folders = []
    for one, when in ((outcome, 86_400 * 3), (alone, 86_400 * 2)):
        folder = tmp_path / str(when)
        folder.mkdir()
        for path in (one.files.experiment, one.files.scores):
            (folder / path.name).write_bytes(path.read_bytes())
        os.utime(folder / "scores.parquet", (when, when))
        folders.append(RunFiles(folder))
    assert Finished(tuple(folders)).date == "1970-01-04"


def test_a_page_shows_every_run_and_the_papers_numbers(finished: Finished, tmp_path: Path) -> None:
    printed = {("main", "hardened", CLEAN): 0.1234, ("main", "hardened", "cw"): 0.2345}
    hidden = {("main+parity+prime", "hardened", CLEAN): 0.3456}
    report(finished, tmp_path / "page.html", heading="A heading of ours", main=printed, hidden=hidden)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "A heading of ours" in page
    for text in ("main+parity+prime", "12.34", "23.45", "34.56", "pgd untargeted", "adaptive", finished.date):
        assert text in page, text
    assert "<img" in page or "<svg" in page


def test_galleries_are_of_the_model_with_most_hidden_tasks(finished: Finished) -> None:
    shown = [(one.model, one.challenge.attack, one.threat) for one in _exhibits(finished)]
    model = "main+parity+prime hardened"
    assert shown == [
        (model, attack, threat) for attack in ("pgd untargeted", "cw") for threat in ("gray-box", "adaptive")
    ]


def test_a_page_of_one_run_has_no_papers_numbers(outcome: Outcome, tmp_path: Path) -> None:
    report(Finished((outcome.files,)), tmp_path / "page.html", heading="One")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "the paper" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL).lower()


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a report needs at least one finished run, got none"):
        Finished(())


def test_a_run_without_scores_is_refused(tmp_path: Path) -> None:
    files = claimed(tmp_path, done=False)
    with pytest.raises(ValueError, match=r"these runs have no scores yet: .*a; run them first"):
        Finished((files,))


def test_two_models_that_no_table_could_tell_apart_are_refused(tmp_path: Path) -> None:
    two = (claimed(tmp_path, name="seed0"), claimed(tmp_path, name="seed1", seed=1))
    with pytest.raises(ValueError, match=r"seed0 and .*seed1 both hold a model 'main plain', .*report each by itself"):
        Finished(two)


def test_runs_are_listed_in_the_order_of_a_study(tmp_path: Path) -> None:
    both = {"parity": "digits/parity", "prime": "digits/prime"}
    tasks = [both, {"prime": both["prime"]}, {"parity": both["parity"]}, {}]
    for number, (hidden, trained) in enumerate([(one, way) for way in (HARDENED, PLAIN) for one in tasks]):
        claimed(tmp_path, name=f"deep/{number}", hidden=hidden, training=trained)
    found = [title(files.read_experiment()) for files in runs_in(tmp_path)]
    names = ("main", "main+parity", "main+prime", "main+parity+prime")
    assert found == [f"{name} {way}" for way in ("plain", "hardened") for name in names]


def test_a_run_lists_itself(outcome: Outcome) -> None:
    assert runs_in(outcome.files.folder) == (outcome.files,)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no run: there is no experiment\.json in it or below"):
        runs_in(tmp_path)


def test_runs_are_sorted_by_data_and_unfinished_ones_left_out(tmp_path: Path) -> None:
    digits = claimed(tmp_path, name="digits")
    mnist = claimed(tmp_path, name="mnist", data=Data("mnist"))
    going = claimed(tmp_path, name="going", data=Data("cifar10"), done=False)
    found = by_data((mnist, digits, going))
    assert {data: one.runs for data, one in found.items()} == {"mnist": (mnist,), "digits": (digits,)}
