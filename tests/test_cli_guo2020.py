"""`manyheads study guo2020` and `manyheads run` of a generator, as far as they go without long training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from manyheads.cli import main
from manyheads.experiments import Bars
from manyheads.reports import Cell, Column, Row, Table
from manyheads.studies.guo2020 import GeneratorStudy


@pytest.fixture
def conducted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[GeneratorStudy, Mapping[str, Any]]]:
    """Studies that were to be conducted, and how; each prints a table of one number."""
    seen = []
    row = Row(labels=("mta",), cells=(Cell(value=0.25, n=4),))

    def conduct(study: GeneratorStudy, bars: Bars, **how: Any) -> tuple[Table, ...]:  # noqa: ARG001 (called so)
        seen.append((study, how))
        return (Table(title="A quarter", stub=("attack",), columns=(Column("", "fooled"),), rows=(row,)),)

    monkeypatch.setattr(GeneratorStudy, "conduct", conduct)
    return seen


def test_the_study_is_made_as_it_is_asked_for(
    conducted: list, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study", "guo2020", "--part", "table1", "ablation", "--data-root", str(tmp_path), "--seeds", "0", "1", "2"]
    assert main([*words, "--jobs", "2", "--folder", str(tmp_path / "kept")]) == 0
    ((study, how),) = conducted
    assert (list(study.chosen), list(study.seeds)) == (["table1", "ablation"], [0, 1, 2])
    assert study.runs.data_root == tmp_path
    assert how == {"jobs": 2, "ray": None}
    out = capsys.readouterr().out
    assert "A quarter" in out
    assert f"tables: {tmp_path / 'kept' / 'guo2020-quick' / 'results.md'}" in out


def test_all_parts_are_run_if_none_is_named(conducted: list, tmp_path: Path) -> None:
    assert main(["study", "guo2020", "--data-root", str(tmp_path)]) == 0
    assert len(conducted[0][0].chosen) == 8


def test_what_is_timed_needs_no_data(conducted: list) -> None:
    assert main(["study", "guo2020", "--part", "table7"]) == 0
    assert conducted[0][0].members == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["guo2020"], "say where it lies with --data-root DIR"),
        (["guo2020", "--part", "table1"], "say where it lies with --data-root DIR"),
        (["guo2020", "--seed", "3"], "guo2020 runs several seeds; write --seeds 3 instead of --seed 3"),
        (["guo2020", "--data", "nyuv2", "--data-root", "x"], "leave --data nyuv2 out"),
        (["guo2020", "--part", "figure7", "--data-root", "x"], "figure7 is no part of guo2020"),
        (["guo2020", "--seeds", "1", "1", "--data-root", "x"], "at least one seed, and each once"),
        (["mao2020", "--part", "table7", "--data-root", "x"], "table7 is no part of mao2020"),
        (["demo", "--part", "ablation"], "--part is that of mao2020 and guo2020, --seeds theirs and that of honest"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_generator_and_its_victims_can_be_overridden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "digits_mta", "--folder", str(tmp_path), "--examples", "5", "--reference-examples", "2"]
    words += ["--generator.width", "2", "--generator.method", "gap", "--training.epochs", "1"]
    for name in ("first", "second", "third"):
        words += [f"--victims.{name}.training.epochs", "1", f"--victims.{name}.data.train-examples", "20"]
        words += [f"--victims.{name}.trials.pgd.examples", "2"]
    assert main(words) == 0
    assert "gap" in capsys.readouterr().out
    page = tmp_path / "digits-mta" / "report.html"
    made = page.read_text(encoding="utf-8")
    page.unlink()
    assert main(["report", str(tmp_path / "digits-mta")]) == 0
    assert len(page.read_text(encoding="utf-8")) == len(made)
