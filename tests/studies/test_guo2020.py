from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from manyheads.attacks import PGD, Noise
from manyheads.experiments import (
    Bars,
    Data,
    DenseExperiment,
    DenseTraining,
    DenseTrial,
    Experiment,
    GenerativeExperiment,
    GenerativeTraining,
    GeneratorArchitecture,
    Scenes,
    Training,
    Trial,
    bars,
)
from manyheads.reports import Table
from manyheads.studies import guo2020
from manyheads.studies.guo2020 import GeneratorStudy, assembled
from manyheads.studies.guo2020_parts import PartName
from manyheads.studies.guo2020_settings import Setting, Settings
from manyheads.threats import Linf

STEP = PGD(steps=1, step_size=0.05)
SMALL = GeneratorArchitecture(width=2, blocks=1)
QUICK = GenerativeTraining(epochs=1, batch_size=8)


def tiny_settings() -> Settings:
    """Two digits' classifiers, called by domains of the paper, and one model of rooms with another beside it."""
    classifier = Experiment(
        name="amazon",
        data=Data("digits", train_examples=40),
        main="digit",
        training=Training(epochs=1, batch_size=20, selection=STEP, selection_examples=4),
        trials={"pgd": Trial(STEP, Linf(0.1), knowledge=("gray-box",), examples=4)},
        sanity_examples=0,
    )
    rooms = DenseExperiment(
        name="rooms",
        scenes=Scenes("drawn", size=(16, 24), train_examples=8, test_examples=3),
        tasks=("segmentation", "depth", "normals"),
        training=DenseTraining(epochs=1, batch_size=4),
        trials={"pgd": DenseTrial(STEP, Linf(0.1), examples=2)},
        sanity_examples=0,
    )
    objects = GenerativeExperiment(
        name="objects",
        victims={"amazon": classifier, "dslr": replace(classifier, name="dslr", seed=1)},
        generator=SMALL,
        training=QUICK,
        references={"noise": Noise(), "pgd": STEP},
        examples=12,
        reference_examples=8,
    )
    dense = GenerativeExperiment(
        name="dense",
        victims={"dmtl": rooms},
        transfers={"mtan": replace(rooms, name="mtan", seed=1)},
        generator=SMALL,
        training=QUICK,
        references={"noise": Noise()},
    )
    images = replace(SMALL, kind="per_instance")
    return {
        "office31": Setting(
            "office31", {"universal": objects, "per_instance": replace(objects, generator=images)}, target="7"
        ),
        "nyuv2": Setting("nyuv2", {"universal": dense, "per_instance": replace(dense, generator=images)}),
    }


def tiny_study(folder: Path, *chosen: PartName, seeds: tuple[int, ...] = (3,)) -> GeneratorStudy:
    made = assembled(tiny_settings(), chosen, name="guo2020-tiny", data_root=None, seeds=seeds, folder=folder)
    return replace(made, timed_size=(16, 24), repeats=2)


@pytest.fixture(scope="module")
def quiet() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as shown:
        yield shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def conducted(quiet: Bars, folder: Path) -> tuple[GeneratorStudy, dict[str, Table]]:
    """A study with every kind of part, which a test must leave as it is, and its tables by title."""
    study = tiny_study(folder, "table4", "table6", "table7", "ablation")
    return study, {table.title: table for table in study.conduct(quiet)}


@pytest.mark.slow
def test_runs_are_shared_and_victims_run_once(conducted: tuple) -> None:
    study, _ = conducted
    names = [experiment.name for experiment in study.members]
    assert len(set(names)) == len(names) == 4 + 2 + 2 + 2 + 2
    runs = {path.parent.relative_to(study.folder).as_posix() for path in study.folder.rglob("scores.parquet")}
    assert len(runs) == len(names) + 4
    assert {run for run in runs if "victims" in run} == {
        "office31/victims/amazon",
        "office31/victims/dslr",
        "nyuv2/victims/dmtl",
        "nyuv2/victims/mtan",
    }


@pytest.mark.slow
def test_every_part_is_shown_with_the_papers_numbers(conducted: tuple) -> None:
    study, tables = conducted
    assert set(tables) == {
        "Per instance, targeted",
        "Transfer",
        "Dense tasks of one model",
        "Three classifiers",
        "Cost",
    }
    text = (study.folder / "results.md").read_text(encoding="utf-8")
    for said in ("seed 3, 16 runs", "(paper 85.96)", "(paper 9.89)", "(paper 0.62)", "table4-1.svg", "Table 7"):
        assert said in text, said
    assert (study.folder / "table4-1.svg").is_file()
    assert "Table 6: transfer" in (study.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_rows_are_methods_and_references_within_each_budget(conducted: tuple) -> None:
    labels = [row.labels for row in conducted[1]["Per instance, targeted"].rows]
    assert labels[0] == ("0", "clean")
    assert labels[1:5] == [("10/255", "GAP"), ("10/255", "MTA"), ("10/255", "noise"), ("10/255", "pgd")]
    assert len(labels) == 9


@pytest.mark.slow
def test_numbers_are_those_of_the_runs(conducted: tuple) -> None:
    study, tables = conducted
    folder = study.folder / "office31" / "per-instance-targeted-5--gap" / "seed-3"
    scores = pl.read_parquet(folder / "scores.parquet")
    wanted = {"model": "dslr", "attack": "gap", "score": "target_accuracy", "condition": "attacked"}
    row = next(row for row in tables["Per instance, targeted"].rows if row.labels == ("5/255", "GAP"))
    assert row.cells[1].value == scores.filter(**wanted)["value"].item()
    assert row.cells[1].printed == pytest.approx(0.7468)
    assert row.cells[2].value == pytest.approx((row.cells[0].value + row.cells[1].value) / 2)


@pytest.mark.slow
def test_a_second_seed_gives_a_spread_and_leaves_the_first_alone(conducted: tuple, quiet: Bars, folder: Path) -> None:
    made = {path: path.stat().st_mtime_ns for path in conducted[0].folder.rglob("*.parquet")}
    (table,) = [one for one in tiny_study(folder, "table6", seeds=(3, 4)).conduct(quiet) if one.title == "Transfer"]
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert {cell.seeds for row in table.rows for cell in row.cells} == {2}
    assert len(list(folder.rglob("victims/*/scores.parquet"))) == 4


def test_members_are_run_seed_after_seed(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, "table1", seeds=(0, 1))
    assert [experiment.seed for experiment in study.members] == [0] * 4 + [1] * 4
    assert {victim.seed for one in study.members for victim in one.victim_runs.values()} == {0}


def test_a_part_without_runs_is_not_finished(tmp_path: Path) -> None:
    assert not tiny_study(tmp_path, "table1")._is_finished("table5")


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_that_make_no_study_are_refused(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a study has at least one seed, and each once"):
        guo2020.study(data_root=tmp_path, seeds=seeds, folder=tmp_path)


def test_both_profiles_are_made(tmp_path: Path) -> None:
    quick, paper = (guo2020.study(["table5"], profile=name, data_root=tmp_path) for name in ("quick", "paper"))
    assert (quick.folder, paper.folder) == (Path("runs/guo2020-quick"), Path("runs/guo2020-paper"))
    sizes = [{one.victims["dmtl"].scenes.size for one in study.members} for study in (quick, paper)]
    assert sizes == [{(72, 96)}, {(288, 384)}]
