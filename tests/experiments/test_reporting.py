"""Which runs are reported together, under which names, in which order."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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
    report,
    run,
    runs_in,
)
from manyheads.experiments.finished import title
from manyheads.experiments.reporting import _exhibits
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


def test_runs_are_listed_in_the_order_of_a_study(tmp_path: Path) -> None:
    both = {"parity": "digits/parity", "prime": "digits/prime"}
    tasks = [both, {"prime": both["prime"]}, {"parity": both["parity"]}, {}]
    for number, (hidden, trained) in enumerate([(one, way) for way in (HARDENED, PLAIN) for one in tasks]):
        claimed(tmp_path, name=f"deep/{number}", hidden=hidden, training=trained)
    found = [title(files.read_as(Experiment)) for files in runs_in(tmp_path)]
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
