from pathlib import Path

import pytest

from manyheads.attacks import PGD
from manyheads.experiments import Experiment
from manyheads.studies.honest_settings import NAMES, PAPER, TRIAL, DataSet, members, quick
from manyheads.threats import Linf


def of(data: DataSet, folder: Path, *, seed: int = 1) -> tuple[Experiment, ...]:
    return members(data, profile="quick", data_root=folder, seed=seed, folder=folder)


@pytest.mark.parametrize("data", NAMES)
def test_all_hidden_tasks_meet_none_plainly_trained_and_hardened(data: DataSet, tmp_path: Path) -> None:
    made = of(data, tmp_path)
    assert [len(one.hidden) for one in made] == [0, 2, 0, 2]
    assert [one.training.hardening is None for one in made] == [True, True, False, False]
    assert {one.data_root for one in made} == {tmp_path}
    assert {one.data.name for one in made} == {data}


@pytest.mark.parametrize("data", NAMES)
def test_every_model_meets_the_same_attack(data: DataSet, tmp_path: Path) -> None:
    trials = [one.trials for one in of(data, tmp_path)]
    eps = quick(data).trials[TRIAL].budget.eps
    assert all(one == trials[0] for one in trials)
    assert list(trials[0]) == [TRIAL]
    assert trials[0][TRIAL].attack == PGD(steps=20, step_size=eps / 8)
    assert trials[0][TRIAL].budget == Linf(eps)
    assert trials[0][TRIAL].knowledge == ("gray-box", "white-box", "adaptive")


def test_no_two_runs_share_a_folder(tmp_path: Path) -> None:
    runs = [one.run for data in NAMES for seed in (0, 1) for one in of(data, tmp_path, seed=seed)]
    assert len(set(runs)) == len(runs) == 24


def test_the_paper_profile_has_the_paper_s_models(tmp_path: Path) -> None:
    for data, recipe in PAPER.items():
        made = members(data, profile="paper", data_root=tmp_path, seed=0, folder=tmp_path)
        assert made[-1].architecture == recipe().architecture
        assert made[-1].training == recipe().training
        assert made[-1].trials[TRIAL].examples == 1000
