import pytest

from manyheads.attacks import mao_steps
from manyheads.studies.mao2020_attacks import BUDGET, SWEEP, joint, paired, strong, vulnerability


def test_every_attack_on_a_main_task_stays_within_four_levels() -> None:
    trials = {**strong(5, main="segmentation").trials, **paired(5).trials}
    assert all(trial.budget == BUDGET and trial.attacked == "main" for trial in trials.values())
    assert pytest.approx(4 / 255) == BUDGET.eps


def test_steps_are_those_of_the_names() -> None:
    trials = strong(5, main="segmentation").trials
    steps = {name: trial.attack.steps for name, trial in trials.items() if name != "fgsm"}
    assert steps == {name: int(name.rpartition("-")[2]) for name in steps}
    assert len(steps) == 6


def test_houdini_attacks_segmentations_alone() -> None:
    assert strong(5, main="segmentation").trials["houdini-100"].goal == "houdini"
    assert "houdini-100" not in strong(5, main="depth").trials


def test_fgsm_goes_over_all_frames() -> None:
    trials = strong(5, main="depth").trials
    assert trials["fgsm"].examples is None
    assert {trial.examples for name, trial in trials.items() if name != "fgsm"} == {5}


def test_the_joint_attack_is_swept_over_the_papers_budgets() -> None:
    wanted = joint(5)
    (trial,) = wanted.trials.values()
    assert (trial.attacked, trial.attack.steps) == ("all", mao_steps(4 / 255))
    assert sorted([*SWEEP, trial.budget.eps]) == pytest.approx([level / 255 for level in (1, 2, 4, 8, 16)])
    assert wanted.swept == tuple(wanted.trials)


def test_pixels_are_attacked_where_they_are_drawn_only() -> None:
    assert not vulnerability(8).vulnerability.attacks
    assert list(vulnerability(8, pixels=(1, 2)).vulnerability.attacks) == ["fgsm", "pgd"]
