from pathlib import Path

import pytest

from manyheads.experiments import Bars, DenseExperiment, Experiment, Outcome, RunFiles, run
from manyheads.experiments.generative_reporting import generative_runs_in, generative_table, report_generative


@pytest.fixture(scope="module")
def finished(tiny_generative, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The finished run of a targeted generator, which a test must leave as it is."""
    return run(tiny_generative(tmp_path_factory.mktemp("finished"), target="7"), quiet)


def test_a_page_is_written(finished: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    report_generative(finished.files, path, heading="A generator")
    page = path.read_text(encoding="utf-8")
    for said in ("A generator", "taken for &#39;7&#39;", "taken for the target", "Gallery", "first: mta"):
        assert said in page, said


def test_the_table_has_a_row_for_each_attack(finished: Outcome) -> None:
    table = generative_table(finished.experiment, finished.scores)
    assert [row.labels for row in table.rows] == [("clean",), ("mta",), ("noise",)]
    assert len(table.columns) == 3 * 2


def test_generators_are_found_among_their_victims(finished: Outcome) -> None:
    assert generative_runs_in(finished.experiment.folder) == (finished.files,)


def test_an_unfinished_run_is_refused(tiny_generative, tmp_path: Path) -> None:
    files = RunFiles(tmp_path / "tiny-generator")
    files.claim(tiny_generative(tmp_path))
    with pytest.raises(ValueError, match="has no scores yet; run it first"):
        report_generative(files, tmp_path / "x.html", heading="x")


def test_another_kind_of_run_is_refused(finished: Outcome, tmp_path: Path) -> None:
    victim = RunFiles(finished.experiment.victim_runs["first"].run)
    with pytest.raises(ValueError, match="holds a classifier; this needs the run of a generator"):
        report_generative(victim, tmp_path / "x.html", heading="x")
    with pytest.raises(ValueError, match="holds a generator of perturbations; this needs the run of a classifier"):
        finished.files.read_as(Experiment)
    with pytest.raises(ValueError, match="holds a generator of perturbations; this needs the run of a model of dense"):
        finished.files.read_as(DenseExperiment)
