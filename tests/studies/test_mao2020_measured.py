from pathlib import Path

import polars as pl
import pytest

from manyheads.reports import SHARE
from manyheads.studies.mao2020_grids import pairs
from manyheads.studies.mao2020_measured import Measured, measured, over_seeds
from manyheads.studies.mao2020_models import Runs
from manyheads.studies.mao2020_parts import Part, union
from manyheads.studies.mao2020_settings import small_rooms


def scores(*attacks: tuple[str, float]) -> pl.DataFrame:
    """One score per attack and eps."""
    shared = {"model": "s", "threat": "single-task", "norm": "Linf", "condition": "attacked", "setting": "x", "seed": 0}
    measured_there = {"score": "miou", "task": "segmentation", "value": 0.5, "n": 3, "low": 0.4, "high": 0.6}
    rows = [{**shared, "attack": attack, "eps": eps, **measured_there} for attack, eps in attacks]
    return pl.DataFrame(rows)


def test_runs_that_are_not_finished_are_named(tmp_path: Path) -> None:
    wishes = pairs(small_rooms(), ["s"], {}, examples=2)
    runs = Runs(study="x", data_root=None, folder=tmp_path, measurements=union([Part(wishes, lambda _: None)]))
    with pytest.raises(FileNotFoundError, match=r"segmentation--plain/seed-3 has no scores yet; run the study first"):
        measured(wishes, runs, seeds=[3])


def test_attacks_stand_in_the_order_that_is_asked_for() -> None:
    found = Measured(scores(("a", 0.1), ("b", 0.1), ("c", 0.1), ("a", 0.2)), pl.DataFrame())
    results = found.results(["c", "a"], eps=0.1)
    assert [challenge.attack for challenge in results.challenges("single-task")] == ["c", "a"]
    assert len(found.results(["a"]).challenges("single-task")) == 2


def test_several_seeds_give_mean_and_spread_and_one_gives_none() -> None:
    cell = over_seeds([0.2, 0.4], measure=SHARE, n=5)
    assert (cell.value, cell.low, cell.high, cell.seeds) == (pytest.approx(0.3), 0.2, 0.4, 2)
    assert over_seeds([0.2], measure=SHARE, n=5).interval == ""
    assert over_seeds([], measure=SHARE).value is None
