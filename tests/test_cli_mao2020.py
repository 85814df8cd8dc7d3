"""`manyheads study mao2020` and `--ray`, as far as they go without training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from manyheads.cli import main
from manyheads.experiments import Bars, RayCluster
from manyheads.reports import Cell, Column, Row, Table
from manyheads.studies import mao2020
from manyheads.studies.mao2020 import DenseStudy


@pytest.fixture
def conducted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[DenseStudy, Mapping[str, Any]]]:
    """Studies that were to be conducted, and how; each prints a table of one number."""
    seen = []
    row = Row(labels=("s",), cells=(Cell(value=0.25, n=4),))

    def conduct(study: DenseStudy, bars: Bars, **how: Any) -> tuple[Table, ...]:  # noqa: ARG001 (called so)
        seen.append((study, how))
        return (Table(title="A quarter", stub=("tasks",), columns=(Column("", "clean"),), rows=(row,)),)

    monkeypatch.setattr(DenseStudy, "conduct", conduct)
    return seen


def test_the_study_is_made_as_it_is_asked_for(
    conducted: list, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["study", "mao2020", "--part", "table2", "figure7", "--data-root", str(tmp_path), "--seeds", "0", "1"]
    assert main([*words, "--jobs", "2", "--folder", str(tmp_path / "kept")]) == 0
    ((study, how),) = conducted
    assert (study.chosen, study.seeds) == (("table2", "figure7"), (0, 1))
    assert study.runs.data_root == tmp_path
    assert how == {"jobs": 2, "ray": None}
    out = capsys.readouterr().out
    assert "A quarter" in out
    assert f"tables: {tmp_path / 'kept' / 'mao2020-quick' / 'results.md'}" in out


@pytest.mark.parametrize(
    ("words", "cluster"),
    [
        (["--ray", "local", "--jobs", "2"], RayCluster(at_once=2)),
        (["--ray", "local"], RayCluster()),
        (["--ray", "auto", "--gpus", "0.5"], RayCluster(address="auto", gpus=0.5)),
    ],
)
def test_ray_is_told_where_and_how_many(conducted: list, tmp_path: Path, words: list[str], cluster: RayCluster) -> None:
    assert main(["study", "mao2020", "--data-root", str(tmp_path), *words]) == 0
    assert conducted[0][1]["ray"] == cluster


def test_rooms_of_the_papers_profile_can_be_chosen(conducted: list, tmp_path: Path) -> None:
    words = ["--profile", "paper", "--part", "figure7", "--data", "nyuv2", "--data-root", str(tmp_path)]
    assert main(["study", "mao2020", *words]) == 0
    assert {experiment.scenes.name for experiment in conducted[0][0].members} == {"nyuv2"}
    assert len(conducted[0][0].members) == 121


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mao2020"], "say where it lies with --data-root DIR"),
        (["mao2020", "--seed", "3"], "write --seeds 3 instead of --seed 3"),
        (["mao2020", "--data", "mnist"], "--data chooses the rooms of mao2020's profile paper"),
        (["mao2020", "--data", "nyuv2"], "the profile quick has NYUv2"),
        (["mao2020", "--gpus", "1"], "say which with --ray ADDRESS, or --ray local"),
        (["mao2020", "--ray", "auto", "--jobs", "2"], "decides that by its resources"),
        (["mao2020", "--seeds", "1", "1", "--data-root", "x"], "at least one seed, and each once"),
        (["hyun2024", "--part", "table2"], "--part is that of mao2020 and guo2020, --seeds theirs and that of honest"),
        (["hyun2024", "--data", "nyuv2", "--data-root", "x"], "nyuv2 is no data set of hyun2024"),
        (["demo", "--seeds", "1", "2"], "--part is that of mao2020 and guo2020, --seeds theirs and that of honest"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_study_is_found_by_its_name() -> None:
    assert mao2020.study(["table1"], data_root=Path()).chosen == ("table1",)
