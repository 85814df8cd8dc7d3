from pathlib import Path

import pytest

from manyheads.experiments import DenseExperiment
from manyheads.studies.mao2020 import assembled
from manyheads.studies.mao2020_attacks import paired, strong
from manyheads.studies.mao2020_grids import spelled
from manyheads.studies.mao2020_models import Model
from manyheads.studies.mao2020_parts import PAPER_ORDER, QUICK_ORDER, Part, PartName, paper_parts, quick_parts, union

NAMES = ["figure4", "figure5", "table1", "table2", "table3", "figure7"]


def experiments(every: dict[PartName, Part]) -> tuple[DenseExperiment, ...]:
    return assembled(every, (), name="x", data_root=Path("data"), seeds=(0,), folder=Path()).members


@pytest.mark.parametrize("every", [quick_parts(), paper_parts(), paper_parts("nyuv2")])
def test_all_tables_and_figures_are_there_and_no_two_experiments_share_a_name(every: dict[PartName, Part]) -> None:
    assert list(every) == NAMES
    names = [experiment.name.lower() for experiment in experiments(every)]
    assert len(set(names)) == len(names)


def test_the_profiles_have_so_many_models() -> None:
    # 25 of the matrix, 4 and 1 with equal weights, 2 with two auxiliaries, 8 hardened
    assert len(experiments(quick_parts())) == 25 + 4 + 1 + 2 + 8
    # the same of the paper: 121; 5 that grow; 4, 8 and 8 of the tables; none is shared but those of rooms alone
    assert len(experiments(paper_parts())) == 121 + 5 + 4 + 8 + 8


def test_a_member_that_several_parts_share_is_one_model_that_is_put_through_everything() -> None:
    every = quick_parts(examples=7)
    alone = Model(spelled("s"))
    sharing = [name for name, part in every.items() if alone in {wish.model for wish in part.wishes}]
    assert sharing == ["figure4", "figure5", "table1", "table2", "figure7"]
    (setting,) = {wish.setting.name for part in every.values() for wish in part.wishes}
    wanted = union(every.values())[setting, alone]
    assert wanted.trials.keys() == {*strong(7, main="segmentation").trials, *paired(7).trials, "pgd"}
    assert wanted.vulnerability.pixels


def test_what_a_model_is_put_through_does_not_depend_on_the_parts_that_are_asked_for() -> None:
    every = quick_parts()
    full = {experiment.name: experiment for experiment in experiments(every)}
    for name in every:
        study = assembled(every, (name,), name="x", data_root=Path("data"), seeds=(0,), folder=Path())
        assert all(full[experiment.name] == experiment for experiment in study.members)


def test_the_orders_are_the_papers_as_far_as_they_go() -> None:
    assert PAPER_ORDER.split()[:3] == QUICK_ORDER.split()[:3] == ["s", "d", "n"]
