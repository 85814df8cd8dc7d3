from dataclasses import replace
from pathlib import Path

import pytest

from manyheads.attacks import CW, FGSM, PGD
from manyheads.experiments import Data, Experiment, Rejection, Training, Trial
from manyheads.threats import L2, Linf

PLAIN = Experiment("plain")
TRIAL = Trial(PGD(steps=2, step_size=0.1), Linf(0.3))


def test_a_run_lies_in_the_folder_of_runs_under_its_name() -> None:
    assert replace(PLAIN, name="study/digits/main-plain", folder=Path("kept")).run == Path(
        "kept/study/digits/main-plain"
    )


@pytest.mark.parametrize("name", ["", ".", "../elsewhere", "a/../../b", "/elsewhere"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a run's name is a folder inside runs"):
        Experiment(name)


def test_the_main_task_cannot_be_hidden_too() -> None:
    with pytest.raises(ValueError, match="'digit' is the main task and cannot be hidden too"):
        replace(PLAIN, main="digit", hidden={"digit": "digits/parity"})


def test_two_places_for_the_data_are_refused() -> None:
    with pytest.raises(ValueError, match=r"data_root \(here\) and data\.root \(there\) both say where the data lies"):
        replace(PLAIN, data_root=Path("here"), data=Data(root=Path("there")))


def test_one_place_for_the_data_may_be_given_twice() -> None:
    both = replace(PLAIN, data_root=Path("here"), data=Data(root=Path("here")))
    assert both.data_root == both.data.root


@pytest.mark.parametrize("name", ["", "a/b", "pgd.linf", " pgd", "-pgd"])
def test_a_trial_whose_name_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a trial is named with letters"):
        replace(PLAIN, trials={name: TRIAL})


def test_trials_that_would_share_files_are_refused() -> None:
    with pytest.raises(ValueError, match="no two alike, got 'pgd-untargeted'"):
        replace(PLAIN, trials={"pgd untargeted": TRIAL, "pgd-untargeted": TRIAL})


def test_a_curve_over_an_unknown_trial_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the trial 'fab'; trials: pgd"):
        replace(PLAIN, trials={"pgd": TRIAL}, sweep=(0.1,), sweep_trial="fab")


@pytest.mark.parametrize("sweep", [(0.1, 0.3), (0.1, 0.1), (0.1, 0.100001)])
def test_an_eps_that_stands_twice_is_refused(sweep: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"stands twice, or is the trial's own, 0\.3; leave it out"):
        replace(PLAIN, trials={"pgd": TRIAL}, sweep=sweep, sweep_trial="pgd")


@pytest.mark.parametrize("budget", [L2(float("inf")), Linf(0.0)])
def test_steps_without_an_eps_to_grow_from_are_refused(budget: L2 | Linf) -> None:
    with pytest.raises(ValueError, match="steps grow with eps over a sweep"):
        replace(PLAIN, trials={"pgd": replace(TRIAL, budget=budget)}, sweep=(0.1,), sweep_trial="pgd")


@pytest.mark.parametrize("attack", [CW(), FGSM()])
def test_attacks_without_a_step_size_may_be_swept_from_any_eps(attack: CW | FGSM) -> None:
    swept = replace(PLAIN, trials={"x": Trial(attack, L2(float("inf")))}, sweep=(0.5, 1.0), sweep_trial="x")
    assert swept.sweep == (0.5, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": Training(epochs=0)}, "training.epochs=0"),
        ({"training": Training(batch_size=0)}, "training.batch_size=0"),
        ({"training": Training(patience=0)}, "training.patience=0"),
        ({"training": Training(selection_examples=-2)}, "training.selection_examples=-2"),
        ({"batch_size": 0}, " batch_size=0"),
        ({"sweep_examples": 0}, "sweep_examples=0"),
        ({"trials": {"x": replace(TRIAL, restarts=0)}}, "trials.x.restarts=0"),
        ({"trials": {"x": replace(TRIAL, examples=0)}}, "trials.x.examples=0"),
        ({"rejection": Rejection(reject=1.0)}, r"rejection.reject is a share of clean inputs in \[0, 1\), got 1.0"),
        ({"rejection": Rejection(reject=-0.1)}, "rejection.reject is a share of clean inputs"),
        ({"batch_size": 0, "sweep_examples": 0}, "1 or more, got sweep_examples=0, batch_size=0"),
    ],
)
def test_numbers_that_would_stop_a_run_later_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **changes)


def test_numbers_may_be_left_open() -> None:
    assert replace(PLAIN, training=Training(patience=None), sweep_examples=None, rejection=Rejection(reject=0.0))
