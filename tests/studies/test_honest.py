"""The honest study is run over seeds, and says what stands of the gains."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from manyheads.experiments import Bars, Experiment, RunFiles
from manyheads.reports import Table, Verdict
from manyheads.studies import grid, honest
from manyheads.studies.honest import HonestStudy

Make = Callable[[Path], Experiment]
SEEDS = (3, 4)


@dataclass(frozen=True)
class Conducted:
    """A study and what it said."""

    study: HonestStudy
    shown: tuple[Table | Verdict, ...]


def small(recipe: Experiment) -> HonestStudy:
    """A study of digits under the name of one data set, and of nothing finished under another."""

    def members(seed: int, *, name: str) -> tuple[Experiment, ...]:
        return grid(replace(recipe, seed=seed, name=name), study=f"try/seed-{seed}")

    return HonestStudy(
        title="A try",
        folder=recipe.folder / "try",
        every={
            "mnist": [members(seed, name="mnist") for seed in SEEDS],
            "gtsrb": [members(seed, name="gtsrb") for seed in SEEDS],
        },
        chosen=["mnist"],
        seeds=SEEDS,
    )


@pytest.fixture(scope="module")
def conducted(tiny: Make, quiet: Bars, tmp_path_factory: pytest.TempPathFactory) -> Conducted:
    study = small(tiny(tmp_path_factory.mktemp("runs")))
    return Conducted(study, study.conduct(quiet))


def test_every_chosen_member_is_run_from_every_seed(conducted: Conducted) -> None:
    chosen = [one for seed in conducted.study.every["mnist"] for one in seed]
    assert [one.seed for one in chosen] == [3] * 4 + [4] * 4
    assert all(RunFiles(one.run).scores.exists() for one in chosen)
    assert not any(RunFiles(one.run).scores.exists() for seed in conducted.study.every["gtsrb"] for one in seed)


def test_the_table_and_a_verdict_for_each_training_are_shown(conducted: Conducted) -> None:
    assert [one.title for one in conducted.shown] == [
        "MNIST: what hidden tasks and rejection add",
        "main+parity plain",
        "main+parity hardened",
    ]


def test_the_page_holds_figures_and_the_checks_of_every_seed(conducted: Conducted) -> None:
    folder = conducted.study.folder
    results = (folder / "results.md").read_text(encoding="utf-8")
    assert "seeds 3, 4, 8 runs" in results
    assert "2 seeds, paired" in results
    assert (folder / "mnist-1.svg").exists()
    assert (folder / "mnist-2.svg").exists()
    assert "(seed 3)" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_finished_data_set_is_shown_though_another_was_chosen(conducted: Conducted, quiet: Bars) -> None:
    before = RunFiles(conducted.study.every["mnist"][0][0].run).scores.stat().st_mtime_ns
    again = replace(conducted.study, chosen=[])
    assert [one.title for one in again.conduct(quiet)] == [one.title for one in conducted.shown]
    assert RunFiles(conducted.study.every["mnist"][0][0].run).scores.stat().st_mtime_ns == before


def test_all_data_sets_are_chosen_where_none_is_named(tmp_path: Path) -> None:
    study = honest.study(data_root=tmp_path, seeds=(0, 1, 2), folder=tmp_path)
    assert tuple(study.chosen) == ("mnist", "gtsrb", "cifar10")
    assert [len(study.every[data]) for data in study.chosen] == [3, 3, 3]
    assert study.folder == tmp_path / "honest-quick"


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_unclear_seeds_are_refused(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one seed, and each once"):
        honest.study(data_root=tmp_path, seeds=seeds)
