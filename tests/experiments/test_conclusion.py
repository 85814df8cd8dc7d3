from pathlib import Path
from shutil import copytree

from manyheads.experiments import Outcome, RunFiles, conclude
from manyheads.reports import Checklist, Table, Verdict


def copy_of(outcome: Outcome, folder: Path) -> Outcome:
    copytree(outcome.files.folder, folder)
    return Outcome(outcome.experiment, RunFiles(folder), outcome.facts, outcome.scores)


def test_a_dense_run_ends_with_a_page_and_a_table_per_task(dense_outcome: Outcome, tmp_path: Path) -> None:
    one = copy_of(dense_outcome, tmp_path / "one")
    tables = conclude(one)
    assert [table.title.split(":")[0] for table in tables] == ["Segmentation", "Depth", "Autoencoding"]
    assert "tiny: what attackers can do to it" in one.files.report.read_text()


def test_a_classifier_ends_with_a_page_and_its_tables(outcome: Outcome, tmp_path: Path) -> None:
    one = copy_of(outcome, tmp_path / "one")
    assert [type(shown) for shown in conclude(one)] == [Table, Table, Table, Verdict]
    assert "tiny: what attackers can do to it" in one.files.report.read_text()


def test_a_checked_classifier_shows_its_checks_before_the_verdict(
    examined: tuple[Outcome, Outcome], tmp_path: Path
) -> None:
    one = copy_of(examined[1], tmp_path / "one")
    assert [type(shown) for shown in conclude(one)] == [Table, Table, Table, Checklist, Verdict]
