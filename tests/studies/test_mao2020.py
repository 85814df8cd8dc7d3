from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from manyheads.experiments import Bars, Scenes, bars
from manyheads.studies import mao2020
from manyheads.studies.mao2020 import DenseStudy, assembled
from manyheads.studies.mao2020_attacks import joint, paired, vulnerability
from manyheads.studies.mao2020_figures import over_eps
from manyheads.studies.mao2020_figures import vulnerability as shown_vulnerability
from manyheads.studies.mao2020_grids import QUICK_SHARES, Wish, growing, pairs, spelled
from manyheads.studies.mao2020_models import Model
from manyheads.studies.mao2020_pairs import pair_matrix
from manyheads.studies.mao2020_parts import Part, PartName
from manyheads.studies.mao2020_settings import small


def tiny_parts() -> dict[PartName, Part]:
    """Parts of two tasks on drawn scenes."""
    scenes = Scenes("drawn", size=(16, 24), train_examples=8, test_examples=3)
    setting = small(scenes, name="drawn")
    setting = replace(setting, plain=replace(setting.plain, epochs=1, batch_size=4))
    grown = growing(setting, "s d", examples=2, norms=2)
    pixels = Wish(setting, Model(spelled("s")), joint(2) | vulnerability(2, pixels=(1, 8)))
    two = tuple(replace(wish, measurements=paired(2)) for wish in pairs(setting, ["s", "d"], QUICK_SHARES, examples=2))
    return {
        "figure4": Part((pixels, *grown[:2]), shown_vulnerability),
        "figure5": Part(grown, over_eps),
        "figure7": Part(two, pair_matrix),
    }


def tiny_study(folder: Path, *chosen: PartName, seeds: tuple[int, ...] = (3,)) -> DenseStudy:
    return assembled(tiny_parts(), chosen, name="mao2020-tiny", data_root=None, seeds=seeds, folder=folder)


@pytest.fixture(scope="module")
def quiet() -> Iterator[Bars]:
    """Bars that nobody sees."""
    with bars(Console(quiet=True)) as shown:
        yield shown


@pytest.mark.slow
def test_a_study_is_conducted_once_and_shares_its_models(quiet: Bars, tmp_path: Path) -> None:
    first = tiny_study(tmp_path, "figure4")
    assert len(first.members) == 2
    assert [table.title for table in first.conduct(quiet)] == [
        "Over the number of output pixels",
        "Over the number of tasks",
    ]
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    rest = tiny_study(tmp_path, "figure5", "figure7")
    tables = rest.conduct(quiet)
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert len(tables) == 2 + 2  # those of the figure that was finished before are shown again
    everything = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert len([path for path in everything if path.name == "scores.parquet"]) == 5
    tiny_study(tmp_path).conduct(quiet)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == everything
    text = (rest.folder / "results.md").read_text(encoding="utf-8")
    for said in ("seed 3, 5 runs", "(paper +44.61)", "Figure 4", "Figure 5", "figure7-1.svg"):
        assert said in text, said
    assert (rest.folder / "figure5-2.svg").is_file()
    assert "Figure 7: pairs of tasks" in (rest.folder / "report.html").read_text(encoding="utf-8")
    scores = pl.read_parquet(rest.folder / "drawn" / "depth--plain" / "seed-3" / "scores.parquet")
    assert set(scores["attack"]) == {"fgsm", "pgd-50", "pgd"}


def test_members_are_run_seed_after_seed(tmp_path: Path) -> None:
    seeds = [experiment.seed for experiment in tiny_study(tmp_path, seeds=(0, 1)).members]
    assert seeds == [0] * 5 + [1] * 5


def test_a_part_without_runs_is_not_finished(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, "figure5")
    assert not study._is_finished("figure7")


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_that_make_no_study_are_refused(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a study has at least one seed, and each once"):
        mao2020.study(data_root=tmp_path, seeds=seeds, folder=tmp_path)


def test_both_profiles_are_made(tmp_path: Path) -> None:
    quick, paper = (mao2020.study(["table2"], profile=name, data_root=tmp_path) for name in ("quick", "paper"))
    assert (quick.folder, paper.folder) == (Path("runs/mao2020-quick"), Path("runs/mao2020-paper"))
    assert {experiment.scenes.name for experiment in quick.members} == {"nyuv2"}
    assert {experiment.architecture.encoder for experiment in paper.members} == {"drn_d_22"}
